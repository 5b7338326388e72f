/**
 * Plays docs/tour.md: runs its commands in order, as a reader does in several terminals, and returns what they
 * have written. The workers run at the same time, and the board is captured while all of them are busy.
 */
import { Cleanup } from "../../src/cleanup.ts";
import { Dev } from "../support/dev.ts";
import { type CodeBlock, codeBlocks } from "../support/markdown.ts";
import { Shell } from "../support/nats-cli.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { Terminal } from "../support/terminal.ts";

/** A command of the tour, and the block that shows its output. */
export interface Step {
  readonly command: CodeBlock;
  readonly shown: CodeBlock | undefined;
}

export interface PlayedStep extends Step {
  readonly output: string;
  readonly code: number | null;
}

/** The board when it must be captured: each of the three workers holds a task. */
export const BUSY =
  /claimed 3 [^]*^CLAIMED 3\n(.+(anna|ben|chris).+\n){3}[^]*^SESSIONS 3\n(\w+ +1 task\n){3}/m;

const SCREEN = { columns: 90, rows: 26 };

/** The commands, without those of the installation, which would change the project that plays the tour. */
export function stepsOf(markdown: string): Step[] {
  const blocks = codeBlocks(markdown);
  return blocks.flatMap((command, i) => {
    if (command.language !== "sh" || command.text.startsWith("npm ")) return [];
    const next = blocks[i + 1];
    return [{ command, shown: next?.language === "text" ? next : undefined }];
  });
}

/**
 * @param busy matches the board when it must be captured
 */
export async function playTour(steps: readonly Step[], busy: RegExp): Promise<PlayedStep[]> {
  await using cleanup = new Cleanup();
  const played: PlayedStep[] = [];
  const home = cleanup.use(await TempFolder.create());
  let shell: Shell | null = null;
  let board: { readonly step: Step; readonly terminal: Terminal } | null = null;
  const workers: Promise<PlayedStep>[] = [];
  for (const step of steps) {
    const { text } = step.command;
    if (text === "if-coordinator dev") {
      const dev = cleanup.use(await Dev.start(home.path));
      const [output] = await dev.waitFor(/^[^]*stops everything[^\n]*/);
      shell = new Shell(await dev.natsUrl(), home.path);
      played.push({ ...step, output: usual(output), code: 0 });
      continue;
    }
    if (shell === null) throw new Error("the tour must start a coordinator first");
    if (text.startsWith("if-coordinator watch --board")) {
      const args = text.split(" ").slice(1);
      board = {
        step,
        terminal: await Terminal.start(args, { ...SCREEN, env: { NATS_URL: shell.natsUrl } }),
      };
      cleanup.use(board.terminal);
      continue;
    }
    if (text.startsWith("if-coordinator run")) {
      workers.push(run(shell, step));
      continue;
    }
    if (board !== null && workers.length > 0) {
      const screen = await board.terminal.waitFor(busy);
      played.push({ ...board.step, output: usual(screen), code: 0 });
      board = null;
    }
    played.push(...(await Promise.all(workers.splice(0))), await run(shell, step));
  }
  return played;
}

async function run(shell: Shell, step: Step): Promise<PlayedStep> {
  // A terminal shows both outputs.
  const { code, stdout } = await shell.run(`exec 2>&1\n${step.command.text}`);
  return { ...step, output: usual(stdout), code };
}

/** The addresses and folders of a reader who has chosen none. */
function usual(output: string): string {
  return output
    .replace(/(nats:\/\/|if-coordinator +)(?:localhost|127\.0\.0\.1):\d+/g, "$1127.0.0.1:4222")
    .replace(/(http:\/\/127\.0\.0\.1):\d+/g, "$1:9090")
    .replace(/(data +).*/, "$1/home/you/if-coordinator/.if-coordinator")
    .replace(/ +export NATS_URL=.*\n/, "")
    .replaceAll("npx if-coordinator", "if-coordinator")
    .replace(/[ \t]+$/gm, "")
    .trim();
}
