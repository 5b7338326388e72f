/** What the registered sessions can do and how many of them hold tasks, in little memory. */

interface Kind {
  readonly capabilities: ReadonlySet<string>;
  count: number;
  busy: number;
}

/** The sessions that could do a task. */
export interface Fitting {
  /** Sessions that have every capability. */
  readonly count: number;
  /** How many of them hold a task at the moment. */
  readonly busy: number;
  /** Required capabilities that no session has. Empty also if no session has all of them together. */
  readonly lacking: readonly string[];
}

export class SessionSummary {
  /** Sessions with the same capabilities count together. */
  readonly #kinds = new Map<string, Kind>();
  #registered = 0;

  get registered(): number {
    return this.#registered;
  }

  add(session: { readonly capabilities: readonly string[]; readonly claims: number }): void {
    const capabilities = new Set(session.capabilities);
    const key = JSON.stringify([...capabilities].sort());
    const kind = this.#kinds.get(key) ?? { capabilities, count: 0, busy: 0 };
    this.#kinds.set(key, kind);
    this.#registered++;
    kind.count++;
    if (session.claims > 0) kind.busy++;
  }

  fitting(requires: readonly string[]): Fitting {
    const kinds = [...this.#kinds.values()];
    const able = kinds.filter(({ capabilities }) => requires.every((one) => capabilities.has(one)));
    return {
      count: able.reduce((sum, { count }) => sum + count, 0),
      busy: able.reduce((sum, { busy }) => sum + busy, 0),
      lacking: requires.filter((one) => !kinds.some(({ capabilities }) => capabilities.has(one))),
    };
  }
}
