/** How many tasks were completed, and how many attempts failed, in the last ten minutes. */

export const SLOT_MS = 10_000;
export const SLOTS = 60;
const SLOTS_A_MINUTE = 60_000 / SLOT_MS;

export interface ActivityView {
  /** Completions in each slot of 10 s, oldest first. The last one is not over yet. */
  readonly completed: readonly number[];
  readonly completedLastMinute: number;
  readonly failedLastMinute: number;
}

interface Slot {
  completed: number;
  failed: number;
}

export class Activity {
  /** By the number of the slot since 1970. */
  readonly #slots = new Map<number, Slot>();

  record(kind: keyof Slot, now: number): void {
    const number = slotOf(now);
    const slot = this.#slots.get(number) ?? { completed: 0, failed: 0 };
    slot[kind]++;
    this.#slots.set(number, slot);
    if (this.#slots.size > SLOTS) this.#forget(number - SLOTS);
  }

  view(now: number): ActivityView {
    const last = slotOf(now);
    const slots = Array.from({ length: SLOTS }, (_, index) =>
      this.#slots.get(last - SLOTS + 1 + index),
    );
    const minute = slots.slice(-SLOTS_A_MINUTE);
    return {
      completed: slots.map((slot) => slot?.completed ?? 0),
      completedLastMinute: sum(minute.map((slot) => slot?.completed ?? 0)),
      failedLastMinute: sum(minute.map((slot) => slot?.failed ?? 0)),
    };
  }

  #forget(last: number): void {
    for (const number of this.#slots.keys()) if (number <= last) this.#slots.delete(number);
  }
}

const BARS = "▁▂▃▄▅▆▇█";

/** A character for each number, whose height is relative to the highest one. The newest are at the end. */
export function sparkline(numbers: readonly number[], width: number): string {
  const shown = numbers.slice(-width);
  const highest = Math.max(1, ...shown);
  return shown
    .map((number) => BARS[Math.ceil((number / highest) * (BARS.length - 1))] ?? "")
    .join("");
}

function slotOf(now: number): number {
  return Math.floor(now / SLOT_MS);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
