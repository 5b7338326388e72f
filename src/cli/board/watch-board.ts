/** `if-coordinator watch --board`: from the options of the command to a board on this terminal. */
import { colors } from "../shared/colors.ts";
import type { Coordinator } from "../../client/coordinator.ts";
import type { EventBus } from "../../client/event-bus.ts";
import { compileFilter } from "../../client/update-filter.ts";
import { useProductionReact } from "../../config/terminal.ts";
import { withCoordinator } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { Interruption } from "../shared/interruption.ts";
import { printError } from "../shared/output.ts";
import { printable, printableLines } from "../shared/terminal-text.ts";
import { filterOf, type FilterOptions } from "../watch/filter.ts";
import { startOf, type WatchSince } from "../watch/since.ts";

export interface WatchBoardOptions extends ConnectionOptions, FilterOptions {
  /** Without it, the last few events are listed. */
  readonly since?: WatchSince;
}

/** More of them say nothing new. */
const MAX_PROBLEMS = 20;
/** How many revisions before now are listed, unless the user says from when. */
const RECENT_REVISIONS = 500;

export async function watchBoard(options: WatchBoardOptions): Promise<void> {
  const problems = new Set<string>();
  const logger = {
    debug: () => undefined,
    // The board shows it: the connection, and whether somebody answers.
    warn: () => undefined,
    error: (message: string): void => {
      if (problems.size < MAX_PROBLEMS) problems.add(message);
    },
  };
  try {
    await withCoordinator(
      options,
      ({ bus, coordinator }) => show(options, bus, coordinator, logger.error),
      logger,
    );
  } finally {
    // Not before, because the board had the terminal.
    for (const problem of problems) printError(`if-coordinator: ${printableLines(problem)}`);
  }
}

async function show(
  options: WatchBoardOptions,
  bus: EventBus,
  coordinator: Coordinator,
  problem: (message: string) => void,
): Promise<void> {
  // Also says at once if no coordinator answers.
  const { revision } = await coordinator.tasks.stats();
  const { prefix = "", since } = options;
  const start =
    since === undefined
      ? { revision: Math.max(0, revision - RECENT_REVISIONS), wants: () => true }
      : startOf(since, revision, Date.now());
  const filter = filterOf(options);
  const compiled = compileFilter(filter.forSubscription);
  const { session } = filter.forSubscription;
  const showBoard = await loadBoard();
  using interruption = new Interruption();
  await showBoard({
    coordinator,
    isConnected: () => bus.link.isConnected,
    terminal: process.stdout,
    keys: process.stdin.isTTY ? process.stdin : null,
    title: titleOf(options, bus, session),
    hasStyles: colors.isColorSupported,
    prefix,
    since: start.revision,
    wantsEvent: (update) =>
      compiled.wantsTask(update.task_id) &&
      compiled.wants(update) &&
      filter.wants(update) &&
      start.wants(update),
    wantsSession: (id) => session === undefined || id === session,
    problem,
    interrupted: interruption.happened,
  });
  // Ctrl-C is a way to quit. Without a keyboard it is a signal.
  if (process.exitCode === EXIT.interrupted) process.exitCode = EXIT.done;
}

/** On its own, so that React is loaded after its build is selected. */
async function loadBoard() {
  useProductionReact();
  return (await import("./show-board.ts")).showBoard;
}

/** The server, and what is filtered. */
function titleOf(
  { prefix, task, status, type }: WatchBoardOptions,
  bus: EventBus,
  session: string | readonly string[] | undefined,
): string {
  const filters = Object.entries({ prefix, session, task, status, type }).flatMap(
    ([name, value]) => (value === undefined ? [] : [`${name} ${String(value)}`]),
  );
  return printable(["if-coordinator", bus.link.connection.getServer(), ...filters].join("  "));
}
