/** Shows the board until the user quits. `watch --board` loads this file, and with it ink and React. */
import type { WriteStream } from "node:tty";
import type { Coordinator } from "../../client/coordinator.ts";
import type { TaskUpdate } from "../../client/task-update.ts";
import { Feed } from "./feed.ts";
import { layoutOf } from "./layout.ts";
import { BoardModel } from "./model.ts";
import { Redraws } from "./redraws.ts";
import { Renderer } from "./renderer.tsx";
import { Screen } from "./screen.ts";

export interface ShowBoardOptions {
  readonly coordinator: Coordinator;
  /** Whether the NATS server can be reached at the moment. */
  readonly isConnected: () => boolean;
  readonly terminal: WriteStream;
  /** The keyboard; `null` if standard input is no terminal. */
  readonly keys: NodeJS.ReadStream | null;
  readonly title: string;
  readonly hasStyles: boolean;
  /** Only tasks whose id begins with this. */
  readonly prefix: string;
  readonly wantsEvent: (update: TaskUpdate) => boolean;
  readonly wantsSession: (sessionId: string) => boolean;
  /** Events after this revision are listed. */
  readonly since: number;
  /** What cannot be shown, and why. Called again and again. */
  readonly problem: (message: string) => void;
  /** Ends the board, as the key `q` does. */
  readonly interrupted: Promise<void>;
}

/**
 * As long as nobody else listens to them, a library that ink uses ends the process at once: before the terminal
 * is as it was.
 */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
const wait = (): void => undefined;

/** Resolves when the user has quit. Rejects if the board cannot go on. The terminal is as before. */
export async function showBoard(options: ShowBoardOptions): Promise<void> {
  const { terminal, prefix, wantsEvent, wantsSession } = options;
  const end = new AbortController();
  const screen = new Screen(terminal);
  const countsHere = prefix !== "";
  const model = new BoardModel(Date.now(), { countsHere, wantsEvent, wantsSession });
  // Also if something throws where nobody catches it.
  const leave = (): void => {
    screen.leave();
  };
  process.once("exit", leave);
  for (const signal of SIGNALS) process.on(signal, wait);
  try {
    await new Promise<void>((resolve, reject) => {
      run({ ...options, screen, model, quit: resolve, failed: reject, end: end.signal });
    });
  } finally {
    end.abort();
    process.off("exit", leave);
    for (const signal of SIGNALS) process.off(signal, wait);
  }
}

interface Running extends ShowBoardOptions {
  readonly screen: Screen;
  readonly model: BoardModel;
  readonly quit: () => void;
  readonly failed: (error: unknown) => void;
  /** Aborted when all of it has to stop. */
  readonly end: AbortSignal;
}

function run(running: Running): void {
  const { screen, model, terminal, isConnected, failed, quit, end } = running;
  const renderer = new Renderer(running);
  let shownClaims: readonly string[] = [];
  const draw = (): void => {
    // A slow terminal, such as one over a slow network, gets fewer frames.
    if (screen.isBusy) return;
    const now = Date.now();
    if (!isConnected()) model.setConnection("disconnected", now);
    const { size } = screen;
    const view = model.view(now, size.rows);
    shownClaims = view.held.slice(0, layoutOf(size, view).lines.held).map(({ id }) => id);
    try {
      screen.show(renderer.draw(view, size));
    } catch (error) {
      failed(error);
    }
  };
  const redraws = new Redraws(draw);
  const resized = (): void => {
    screen.clear();
    redraws.request();
  };
  const changed = (): void => {
    redraws.request();
  };
  screen.enter();
  terminal.on("resize", resized);
  terminal.once("error", failed);
  end.addEventListener("abort", () => {
    redraws.stop();
    renderer.stop();
    terminal.off("resize", resized);
    terminal.off("error", failed);
    screen.leave();
  });
  const feed = new Feed({ ...running, shownClaims: () => shownClaims, changed, signal: end });
  feed.start().catch(failed);
  void running.interrupted.then(quit);
  // The connection can end for good, for example because the user was removed.
  running.coordinator.run().catch(failed);
  redraws.request();
}
