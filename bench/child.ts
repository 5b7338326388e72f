/** A process that is told what to do over Node's IPC channel, one thing after the other, and answers. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What a child says: that it is ready, what it was asked for, or why it cannot. */
export type Answer<T> =
  | { readonly kind: "answer"; readonly answer: T }
  | { readonly kind: "problem"; readonly problem: string };

const END = "end";

/** The side of whoever tells. */
export class Child<Order> implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it is ready. @param args for the program, such as where its server is */
  static async start<Order>(program: string, args: readonly string[]): Promise<Child<Order>> {
    const child = new Child<Order>(fork(program, args));
    await child.#answer();
    return child;
  }

  get pid(): number {
    return this.#child.pid ?? NaN;
  }

  /** One at a time. @throws Error for a problem, and if it has ended */
  async ask(order: Order): Promise<unknown> {
    const answer = this.#answer();
    this.#child.send(order as object);
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child.connected) return;
    this.#child.send(END);
    await once(this.#child, "exit");
  }

  async #answer(): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    try {
      const gone = once(this.#child, "exit", { signal }).then(([code]) => {
        throw new Error(`a process of the benchmark ended with ${String(code)}`);
      });
      const next = once(this.#child, "message", { signal }) as Promise<[Answer<unknown>]>;
      const [answer] = await Promise.race([next, gone]);
      if (answer.kind === "problem") throw new Error(answer.problem);
      return answer.answer;
    } finally {
      over.abort();
    }
  }
}

/** The side of the process: it is ready when this is called. */
export function serveOrders(
  obey: (order: never) => Promise<unknown>,
  close: () => Promise<void>,
): void {
  const tell = (answer: Answer<unknown>): void => {
    process.send?.(answer);
  };
  process.on("message", (order: unknown) => {
    if (order === END) {
      void close().then(() => {
        process.disconnect();
      });
      return;
    }
    obey(order as never).then(
      (answer) => {
        tell({ kind: "answer", answer });
      },
      (error: unknown) => {
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
        tell({ kind: "problem", problem });
      },
    );
  });
  tell({ kind: "answer", answer: null });
}
