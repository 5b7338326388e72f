/**
 * Whose turn it is: what waits, in turn over those who sent it.
 *
 * The turn of a sender is the time since which it waits or, if that is later, the time at which it was served
 * last. So senders with one request each are served in the order in which they came, and a sender with
 * thousands gets no more than each of the others. Nobody can be overtaken without end, because everyone who
 * comes or is served goes behind all who wait. Within a sender the request that waits longest comes first.
 *
 * Requests with the same filter form a group, in which each sender has a line. A task is compared with groups,
 * and the first line of a group is that of the sender whose turn comes first. So thousands of senders with one
 * filter cost as little as one.
 */
import { fitsFilter } from "../task/eligibility.ts";
import type { ReadyFilter, ReadyTask } from "../task/ready-queue.ts";
import { SortedList } from "../task/sorted-list.ts";
import { FilterIndex } from "./filter-index.ts";
import { Ranking } from "./ranking.ts";

export interface Waiter {
  readonly sender: string;
  readonly filter: ReadyFilter;
  /** Text of the filter: the same for the same filter. */
  readonly filterKey: string;
  /** When it came: later requests have higher places. */
  readonly place: number;
}

interface WaitingSender<W extends Waiter> {
  turn: number;
  /** The value of `turn` when it was served last; 0: not since it waits. */
  servedAt: number;
  readonly lines: Map<string, Line<W>>;
}

interface Line<W extends Waiter> {
  readonly sender: WaitingSender<W>;
  readonly group: Group<W>;
  readonly waiting: SortedList<W>;
}

interface Group<W extends Waiter> {
  readonly filter: ReadyFilter;
  /** The same, with a set for speed. */
  readonly wanted: Omit<ReadyFilter, "capabilities"> & { readonly capabilities: Set<string> };
  readonly lines: SortedList<Line<W>>;
  /** That of the first line. */
  turn: number;
}

/** What `serve` has changed, to undo it. */
export interface Served {
  readonly before: number;
  readonly after: number;
}

type Task = Pick<ReadyTask, "taskId" | "tags" | "requires">;

export class WaitingTurns<W extends Waiter> {
  /** How many requests of each sender wait. */
  readonly ranking = new Ranking();
  readonly #senders = new Map<string, WaitingSender<W>>();
  readonly #groups = new Map<string, Group<W>>();
  readonly #index = new FilterIndex<Group<W>>();
  #turns = 0;

  /** How many different filters they have. */
  filtersOf(sender: string): number {
    return this.#senders.get(sender)?.lines.size ?? 0;
  }

  hasFilter(sender: string, filterKey: string): boolean {
    return this.#senders.get(sender)?.lines.has(filterKey) ?? false;
  }

  /** The filter of those who wait with the same one, so that all share it. */
  sharedFilter(filterKey: string): ReadyFilter | undefined {
    return this.#groups.get(filterKey)?.filter;
  }

  *of(sender: string): Generator<W> {
    for (const { waiting } of this.#senders.get(sender)?.lines.values() ?? []) yield* waiting;
  }

  *all(): Generator<W> {
    for (const sender of this.#senders.keys()) yield* this.of(sender);
  }

  /** `turn`: that of the sender, if nothing else of it waits; otherwise it comes last. */
  add(item: W, turn?: number): void {
    const sender = this.#senderOf(item.sender, turn);
    let line = sender.lines.get(item.filterKey);
    if (line === undefined) {
      const group = this.#groupOf(item);
      line = { sender, group, waiting: new SortedList((a, b) => a.place - b.place) };
      sender.lines.set(item.filterKey, line);
      addLine(group, line);
    }
    line.waiting.set(item);
    this.ranking.count(item.sender, 1);
  }

  /** Returns whether it was there. */
  remove(item: W): boolean {
    const sender = this.#senders.get(item.sender);
    const line = sender?.lines.get(item.filterKey);
    if (sender === undefined || line?.waiting.delete(item) !== true) return false;
    this.ranking.count(item.sender, -1);
    if (line.waiting.size > 0) return true;
    sender.lines.delete(item.filterKey);
    if (sender.lines.size === 0) this.#senders.delete(item.sender);
    const { group } = line;
    deleteLine(group, line);
    if (group.lines.size > 0) return true;
    this.#groups.delete(item.filterKey);
    this.#index.delete(group);
    return true;
  }

  /** The request whose turn it is, of those that the task fits and that may be served. */
  first(task: Task, mayServe: (item: W) => boolean): W | undefined {
    let chosen: W | undefined;
    let turn = Infinity;
    for (const groups of this.#index.candidates(task)) {
      for (const group of groups) {
        if (group.turn >= turn || !fitsFilter(task, group.wanted)) continue;
        const found = firstIn(group, mayServe);
        if (found === undefined || found.turn >= turn) continue;
        chosen = found.item;
        turn = found.turn;
      }
    }
    return chosen;
  }

  /** Takes the request out, and sends its sender behind all others. */
  serve(item: W): Served {
    const sender = this.#senders.get(item.sender);
    const before = sender?.turn ?? 0;
    const after = ++this.#turns;
    this.remove(item);
    if (sender !== undefined) this.#move(sender, after, after);
    return { before, after };
  }

  /** Returns the request, and its turn to its sender if that was not served since. */
  unserve(item: W, { before, after }: Served): void {
    this.add(item, before);
    const sender = this.#senders.get(item.sender);
    if (sender === undefined || sender.servedAt > after || sender.turn <= before) return;
    this.#move(sender, before, 0);
  }

  #senderOf(name: string, turn: number | undefined): WaitingSender<W> {
    let sender = this.#senders.get(name);
    if (sender === undefined) {
      sender = { turn: turn ?? ++this.#turns, servedAt: 0, lines: new Map() };
      this.#senders.set(name, sender);
    }
    return sender;
  }

  #groupOf({ filter, filterKey }: W): Group<W> {
    let group = this.#groups.get(filterKey);
    if (group === undefined) {
      // No two senders have the same turn.
      const lines = new SortedList<Line<W>>((a, b) => a.sender.turn - b.sender.turn);
      const wanted = { ...filter, capabilities: new Set(filter.capabilities) };
      group = { filter, wanted, lines, turn: Infinity };
      this.#groups.set(filterKey, group);
      this.#index.add(group);
    }
    return group;
  }

  #move(sender: WaitingSender<W>, turn: number, servedAt: number): void {
    for (const line of sender.lines.values()) deleteLine(line.group, line);
    sender.turn = turn;
    sender.servedAt = servedAt;
    for (const line of sender.lines.values()) addLine(line.group, line);
  }
}

function addLine<W extends Waiter>(group: Group<W>, line: Line<W>): void {
  group.lines.set(line);
  group.turn = group.lines.first()?.sender.turn ?? Infinity;
}

/** The turn of its sender must be that with which it was added. */
function deleteLine<W extends Waiter>(group: Group<W>, line: Line<W>): void {
  group.lines.delete(line);
  group.turn = group.lines.first()?.sender.turn ?? Infinity;
}

function firstIn<W extends Waiter>(
  { lines }: Group<W>,
  mayServe: (item: W) => boolean,
): { readonly item: W; readonly turn: number } | undefined {
  for (const { sender, waiting } of lines) {
    for (const item of waiting) if (mayServe(item)) return { item, turn: sender.turn };
  }
  return undefined;
}
