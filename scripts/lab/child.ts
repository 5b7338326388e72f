/**
 * Child processes that carry out what their parent asks, one request at a time, over Node's IPC channel.
 * A program exports the type of its methods and calls `serve(methods, close)`; its parent starts it with
 * `Child.start` and calls `child.ask("method", ...args)`.
 */
import { type ChildProcess, fork, type ForkOptions } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;
type Returned<M extends Methods, K extends keyof M> = Awaited<ReturnType<M[K]>>;

interface Request {
  readonly method: string;
  readonly args: readonly unknown[];
}

type Answer =
  | { readonly kind: "answer"; readonly answer: unknown }
  | { readonly kind: "problem"; readonly problem: string };

const END = "end";
const END_TIMEOUT_MS = 30_000;

export interface ChildOptions extends Pick<ForkOptions, "execArgv"> {
  /** How long an answer may take. Default: any time. */
  readonly timeoutMs?: number;
}

/** The side of the parent. */
export class Child<M extends Methods> implements AsyncDisposable {
  /** Resolves when the process has ended, to its exit code or signal. */
  readonly ended: Promise<string>;
  readonly #program: string;
  readonly #child: ChildProcess;
  readonly #timeoutMs: number | undefined;

  private constructor(program: string, args: readonly string[], options: ChildOptions) {
    this.#program = basename(program);
    this.#child = fork(program, args, options);
    this.#timeoutMs = options.timeoutMs;
    this.ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        resolve(String(code ?? signal));
      });
    });
  }

  /** Resolves when the program has called `serve`. */
  static async start<M extends Methods>(
    program: string,
    args: readonly string[],
    options: ChildOptions = {},
  ): Promise<Child<M>> {
    const child = new Child<M>(program, args, options);
    try {
      await child.#answer();
      return child;
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** @throws Error if the method throws, the process ends, or the time is over */
  async ask<K extends keyof M & string>(
    method: K,
    ...args: Parameters<M[K]>
  ): Promise<Returned<M, K>> {
    const answer = this.#answer();
    if (this.#child.connected) this.#child.send({ method, args } satisfies Request);
    return (await answer) as Returned<M, K>;
  }

  /** Lets the program close what it has open. Kills it if that takes more than 30 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.send(END);
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  async #answer(): Promise<unknown> {
    const over = new AbortController();
    const signals = [over.signal];
    if (this.#timeoutMs !== undefined) signals.push(AbortSignal.timeout(this.#timeoutMs));
    try {
      const ended = this.ended.then((how): never => {
        throw new Error(`${this.#program} ended with ${how}`);
      });
      const answered = once(this.#child, "message", { signal: AbortSignal.any(signals) });
      const [answer] = (await Promise.race([answered, ended])) as [Answer];
      if (answer.kind === "problem") throw new Error(answer.problem);
      return answer.answer;
    } finally {
      over.abort();
    }
  }
}

/**
 * The arguments that the parent has given to this program. Where a person has started it instead, says so
 * and exits with code 2.
 *
 * @param script that starts the program, such as `npm run bench`
 */
export function argumentsFromParent(script: string): string[] {
  if (process.send !== undefined) return process.argv.slice(2);
  console.error(`${basename(process.argv[1] ?? "")} is a part of ${script}, which starts it`);
  process.exit(2);
}

/** Milliseconds by a clock that all processes of a machine share. */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The side of the program, which is ready when it calls this. `close` runs once, before it ends. */
export function serve(methods: Methods, close: () => unknown): void {
  const answer = (text: Answer): void => {
    if (process.connected) process.send?.(text);
  };
  let closing: Promise<unknown> | null = null;
  const closeOnce = (): Promise<unknown> => (closing ??= Promise.resolve(close()));
  const carryOut = async ({ method, args }: Request): Promise<unknown> => {
    const run = methods[method];
    if (run === undefined) throw new Error(`there is no method ${method}`);
    return await run(...(args as never[]));
  };
  process.on("message", (request: Request | typeof END) => {
    if (request === END) {
      void closeOnce().then(() => {
        process.disconnect();
      });
      return;
    }
    carryOut(request).then(
      (result) => {
        answer({ kind: "answer", answer: result ?? null });
      },
      (error: unknown) => {
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
        answer({ kind: "problem", problem });
      },
    );
  });
  // A parent that has died does not ask this process to end. What it used may be gone as well.
  process.once("disconnect", () => {
    closeOnce().catch(() => undefined);
  });
  answer({ kind: "answer", answer: null });
}
