/**
 * A program in a terminal of its own, which tmux plays: its screen, its keyboard and its size. It is ended at the
 * end of the scope.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { MAIN } from "./cli-process.ts";
import { TempFolder } from "./temp-folder.ts";

const run = promisify(execFile);

/** Nothing must take this long. */
const PATIENCE_MS = 20_000;
const POLL_MS = 25;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Why there can be no terminal here; `false` if there can. */
export function tmuxMissing(): string | false {
  const { error } = spawnSync("tmux", ["-V"]);
  return error === undefined ? false : "needs tmux";
}

export class Terminal implements AsyncDisposable {
  readonly #folder: TempFolder;

  private constructor(folder: TempFolder) {
    this.#folder = folder;
  }

  /** Runs `if-coordinator` with these arguments. */
  static async start(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const { columns = 80, rows = 24, env = {} } = options;
    const terminal = new Terminal(await TempFolder.create());
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    // As on the terminal of a person: programs know by CI that nobody looks.
    const unset = ["-u", "NO_COLOR", "-u", "CI"];
    const program = ["env", ...unset, ...variables, process.execPath, MAIN, ...args];
    const noted = ["sh", "-c", 'echo $$ > "$0"; exec "$@"', terminal.#pidFile, ...program];
    await terminal.#tmux(
      ...["new-session", "-d", "-x", String(columns), "-y", String(rows), "--"],
      // The terminal stays when the program has ended.
      ...["sh", "-c", '"$@"; echo "ended with $?"; cat', "sh", ...noted],
    );
    return terminal;
  }

  get #pidFile(): string {
    return join(this.#folder.path, "pid");
  }

  /** The lines of the screen, without blanks at the end of lines. */
  async screen(): Promise<string> {
    return this.#tmux("capture-pane", "-p");
  }

  /** The screen with its colours, as escape sequences. */
  async styledScreen(): Promise<string> {
    return this.#tmux("capture-pane", "-p", "-e");
  }

  /** Resolves to the screen when it matches. */
  async waitFor(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const screen = await this.screen();
      if (pattern.test(screen)) return screen;
      if (Date.now() > deadline) throw new Error(`no ${String(pattern)} on the screen:\n${screen}`);
      await delay(POLL_MS);
    }
  }

  /** Names of keys as tmux knows them, such as `q` and `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Sends a signal to the program. */
  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(Number(await readFile(this.#pidFile, "utf8")), name);
  }

  /** How the program has left the terminal. Resolves when it has ended. */
  async ended(): Promise<{ code: number; isAlternate: boolean; hasCursor: boolean }> {
    const screen = await this.waitFor(/^ended with \d+/m);
    const code = Number(/^ended with (\d+)/m.exec(screen)?.[1]);
    const state = await this.#tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}");
    const [alternate, cursor] = state.trim().split(" ");
    return { code, isAlternate: alternate === "1", hasCursor: cursor === "1" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => undefined);
    await this.#folder[Symbol.asyncDispose]();
  }

  async #tmux(...args: string[]): Promise<string> {
    const socket = join(this.#folder.path, "tmux");
    const { stdout } = await run("tmux", ["-u", "-S", socket, "-f", "/dev/null", ...args], {
      env: { ...process.env, LC_ALL: "C.UTF-8", TERM: "xterm-256color" },
    });
    return stdout;
  }
}
