/**
 * Whether a sequential specification explains a history of operations on one object. Is there an order in
 * which the operations happen one after the other, each between its invocation and its reply, and give
 * exactly the replies of the history?
 *
 * The search is that of Wing and Gong. It orders the operations one by one. The next is always one that was
 * invoked before the earliest reply of the remaining ones. As Lowe proposes, it remembers what was tried: a
 * set of operations that led to the same state is not tried again. Between two operations the object may
 * also change by itself, for example when a lease expires.
 */

export interface Operation<Op> {
  readonly op: Op;
  /** By a clock that all operations share. */
  readonly invokedAt: number;
  /** Infinite if no reply came: then the operation may have happened at any later time, or never. */
  readonly returnedAt: number;
}

export interface Model<State, Op> {
  readonly initial: State;
  /** The states in which the operation may leave the object. Empty if its reply cannot be explained. */
  step(state: State, op: Op): readonly State[];
  /** The states to which the object may change by itself. */
  changes(state: State): readonly State[];
  /** The same text for equal states only. */
  key(state: State): string;
}

export interface Explained<Op> {
  readonly isLinearizable: boolean;
  /** Whether the search has ended. With many operations without a reply it may take forever. */
  readonly isDecided: boolean;
  /** The order of all operations, or the longest order of some of them. */
  readonly explained: readonly Operation<Op>[];
  /** The operations of which none can follow that order. */
  readonly stuckAt: readonly Operation<Op>[];
}

export function checkLinearizability<State, Op>(
  model: Model<State, Op>,
  history: readonly Operation<Op>[],
): Explained<Op> {
  const operations = history.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const search = new Search(model, operations);
  return search.run();
}

/** About a minute. */
const MAX_TRIED = 300_000;

interface Step<State> {
  readonly state: State;
  /** The operation that led here. -1 if the object changed by itself. */
  readonly index: number;
  /** The steps from here that were not tried yet. */
  readonly next: Iterator<{ readonly state: State; readonly index: number }, undefined>;
}

class Search<State, Op> {
  readonly #model: Model<State, Op>;
  readonly #operations: readonly Operation<Op>[];
  readonly #done: boolean[];
  readonly #tried = new Set<string>();
  /** The number of operations with a reply that have no place yet. */
  #left: number;
  #best: readonly number[] = [];

  constructor(model: Model<State, Op>, operations: readonly Operation<Op>[]) {
    this.#model = model;
    this.#operations = operations;
    this.#done = operations.map(() => false);
    this.#left = operations.filter(({ returnedAt }) => returnedAt < Infinity).length;
  }

  /** Depth first, without recursion: a history may be long. */
  run(): Explained<Op> {
    const path: Step<State>[] = [];
    const enter = (state: State, index: number): void => {
      path.push({ state, index, next: this.#candidates(state) });
    };
    enter(this.#model.initial, -1);
    while (this.#left > 0) {
      const step = path.at(-1);
      if (step === undefined) return this.#failure();
      if (this.#tried.size > MAX_TRIED) return { ...this.#failure(), isDecided: false };
      const { value } = step.next.next();
      if (value === undefined) {
        path.pop();
        if (step.index >= 0) this.#undo(step.index);
        continue;
      }
      if (value.index >= 0) this.#place(value.index);
      if (this.#isTried(value.state)) {
        if (value.index >= 0) this.#undo(value.index);
        continue;
      }
      enter(value.state, value.index);
      this.#keepBest(path);
    }
    const explained = this.#ordered(path);
    return { isLinearizable: true, isDecided: true, explained, stuckAt: [] };
  }

  *#candidates(state: State): Generator<{ state: State; index: number }, undefined> {
    const minimal = this.#minimal();
    // Operations without a reply come last: mostly the others can be explained without them.
    for (const hasReply of [true, false]) {
      for (const index of minimal) {
        const operation = this.#operations[index];
        if (operation === undefined || this.#hasReply(index) !== hasReply) continue;
        for (const next of this.#model.step(state, operation.op)) {
          // An operation that changes nothing may as well have never happened.
          const isIdle = !hasReply && this.#model.key(next) === this.#model.key(state);
          if (!isIdle) yield { state: next, index };
        }
      }
    }
    for (const next of this.#model.changes(state)) yield { state: next, index: -1 };
  }

  /** The operations that may be next: those invoked before the earliest remaining reply. */
  #minimal(): number[] {
    let earliestReturn = Infinity;
    for (const [index, { invokedAt, returnedAt }] of this.#operations.entries()) {
      if (invokedAt > earliestReturn) break;
      if (this.#done[index] === false) earliestReturn = Math.min(earliestReturn, returnedAt);
    }
    const found: number[] = [];
    for (const [index, { invokedAt }] of this.#operations.entries()) {
      if (invokedAt > earliestReturn) break;
      if (this.#done[index] === false) found.push(index);
    }
    return found;
  }

  #place(index: number): void {
    this.#done[index] = true;
    if (this.#hasReply(index)) this.#left--;
  }

  #undo(index: number): void {
    this.#done[index] = false;
    if (this.#hasReply(index)) this.#left++;
  }

  #hasReply(index: number): boolean {
    return (this.#operations[index]?.returnedAt ?? Infinity) < Infinity;
  }

  #isTried(state: State): boolean {
    const done = this.#done.map((isDone) => (isDone ? "1" : "0")).join("");
    const key = `${done} ${this.#model.key(state)}`;
    if (this.#tried.has(key)) return true;
    this.#tried.add(key);
    return false;
  }

  #keepBest(path: readonly Step<State>[]): void {
    const indices = path.map(({ index }) => index).filter((index) => index >= 0);
    if (indices.length > this.#best.length) this.#best = indices;
  }

  #ordered(path: readonly Step<State>[]): Operation<Op>[] {
    return this.#at(path.map(({ index }) => index));
  }

  #at(indices: readonly number[]): Operation<Op>[] {
    return indices.flatMap((index) => this.#operations[index] ?? []);
  }

  #failure(): Explained<Op> {
    for (const index of this.#best) this.#done[index] = true;
    const stuckAt = this.#at(this.#minimal());
    const explained = this.#at(this.#best);
    return { isLinearizable: false, isDecided: true, explained, stuckAt };
  }
}
