/** A contender in a process of its own, seen from whoever lets it play. */
import { Child } from "./child.ts";
import type { ContenderOrder, Round } from "./contender.ts";
import type { Measured } from "./load.ts";

export class ContenderProcess implements AsyncDisposable {
  readonly #child: Child<ContenderOrder>;

  private constructor(child: Child<ContenderOrder>) {
    this.#child = child;
  }

  /** Resolves when it is ready. @param args for the program, such as where its server is */
  static async start(program: string, args: readonly string[]): Promise<ContenderProcess> {
    return new ContenderProcess(await Child.start(program, args));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** @param prepared is called before what is measured begins */
  async play(round: Round, prepared: () => void = () => undefined): Promise<Measured> {
    await this.#child.ask(round);
    prepared();
    return (await this.#child.ask("go")) as Measured;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
