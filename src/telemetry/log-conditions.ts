/**
 * Keeps the log short: a condition that lasts has one line when it begins, one every 30 s while it lasts, and
 * one when it ends, with its length.
 *
 * - A **state** begins with one fact and ends with another, such as a lost connection.
 * - A **burst** consists of similar events, such as writes without an acknowledgement. The first event has
 *   its own line, or the first ten if each names another task. The others are counted. The burst ends when no
 *   event has come for 10 s. If each event had its own line, no other line follows.
 * - What a principal causes is a burst of its own. Anyone can invent principals where nobody vouches for them,
 *   so at most 20 have one at a time. The others share one.
 * - Failures while the connection is lost are counted in that state.
 *
 * Each event that is counted has its line at `debug`, as far as `debug-lines.ts` allows. Time is passed in. The timer is in `logger.ts`.
 */
import type { Fact } from "../service/ports.ts";
import { type Lasting, lastingOf } from "./lasting-facts.ts";
import { type LogLine, logLineOf } from "./log-lines.ts";

/** The time between two lines about a condition that lasts, in milliseconds. */
export const REMIND_MS = 30_000;
/** A burst ends when no event has come for so long, in milliseconds. */
export const QUIET_MS = 10_000;
/** So many bursts of principals are open at a time. */
export const MAX_NAMED = 20;

type Burst = Extract<Lasting, { readonly kind: "happens" }>;

interface Condition {
  readonly lasting: Exclude<Lasting, { readonly kind: "ends" }>;
  readonly beganAt: number;
  reportedAt: number;
  lastAt: number;
  /** Number of events of a burst, or of failures during a state. */
  count: number;
  /** The fields of the last event. */
  last: LogLine["fields"];
  /** The count that the last line had. */
  reported: number;
}

export class LogConditions {
  readonly #open = new Map<string, Condition>();
  /** The number of bursts of principals in it. */
  #named = 0;

  /** Whether `due` may return a line later. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** The lines for a fact at the time `now`, in milliseconds of any monotonic clock. */
  note(fact: Fact, now: number): LogLine[] {
    const line = logLineOf(fact);
    const known = lastingOf(fact);
    if (known === null) return [line];
    if (known.kind === "ends") return [this.#end(known, line, now)];
    const lasting =
      this.#named < MAX_NAMED || known.kind === "begins" ? known : this.#shared(known);
    const around = lasting.within === undefined ? undefined : this.#open.get(lasting.within);
    const key = keyOf(lasting);
    const condition = around ?? this.#open.get(key);
    if (condition === undefined) {
      const times = { beganAt: now, reportedAt: now, lastAt: now };
      const isBurst = lasting.kind === "happens";
      const count = isBurst ? (lasting.times ?? 1) : 0;
      if (isNamed(lasting)) this.#named++;
      this.#open.set(key, { lasting, ...times, count, reported: Math.min(1, count), last: {} });
      return [line];
    }
    condition.lastAt = now;
    if (lasting.kind === "happens") {
      condition.count += lasting.times ?? 1;
      condition.last = withoutStack({ ...line.fields, ...lasting.about });
      if (around === undefined && condition.count <= (lasting.own ?? 1)) {
        condition.reported = condition.count;
        return [line];
      }
    }
    return [{ ...line, level: "debug" }];
  }

  /** The lines that are due now. Call it about once a second. */
  due(now: number): LogLine[] {
    const lines: LogLine[] = [];
    for (const [key, condition] of this.#open) {
      const { lasting, lastAt, reportedAt, count, reported } = condition;
      const isBurst = lasting.kind === "happens";
      if (isBurst && now - lastAt >= QUIET_MS) {
        this.#open.delete(key);
        if (isNamed(lasting)) this.#named--;
        if (count > (lasting.own ?? 1)) lines.push(over(condition));
      } else if (now - reportedAt >= REMIND_MS && !(isBurst && count === reported)) {
        condition.reportedAt = now;
        condition.reported = count;
        lines.push(reminder(condition, now));
      }
    }
    return lines;
  }

  /** The burst of this principal if it is open, otherwise that of all others. */
  #shared(lasting: Burst): Burst {
    const { of, ...shared } = lasting;
    if (of === undefined || this.#open.has(keyOf(lasting))) return lasting;
    return { ...shared, key: `${lasting.key} others`, about: { principal: "others" } };
  }

  #end(lasting: Extract<Lasting, { kind: "ends" }>, line: LogLine, now: number): LogLine {
    const condition = this.#open.get(lasting.key);
    if (condition === undefined) return line;
    this.#open.delete(lasting.key);
    const length = now - condition.beganAt;
    return {
      level: line.level,
      message: `${lasting.message} after ${durationText(length)}`,
      fields: { ...line.fields, ...seconds(length), ...failures(condition) },
    };
  }
}

function keyOf(lasting: Condition["lasting"]): string {
  return isNamed(lasting) ? `${lasting.key} ${lasting.of}` : lasting.key;
}

function isNamed(lasting: Condition["lasting"]): lasting is Burst & { readonly of: string } {
  return lasting.kind === "happens" && lasting.of !== undefined;
}

function reminder(condition: Condition, now: number): LogLine {
  const { lasting, beganAt } = condition;
  const length = now - beganAt;
  if (lasting.kind === "begins") {
    return {
      level: "warn",
      message: `${lasting.still} for ${durationText(length)}`,
      fields: { ...seconds(length), ...lasting.about, ...failures(condition) },
    };
  }
  return {
    level: lasting.level,
    message: `${lasting.message}, repeatedly for ${durationText(length)}`,
    fields: { ...seconds(length), times: condition.count, ...condition.last },
  };
}

function over({ lasting, beganAt, lastAt, count, last }: Condition): LogLine {
  const length = lastAt - beganAt;
  return {
    level: "info",
    message: `ended: ${lasting.kind === "happens" ? lasting.message : ""}`,
    fields: { ...seconds(length), times: count, ...last },
  };
}

/** The failures during a state. */
function failures({ lasting, count, last }: Condition): LogLine["fields"] {
  return lasting.kind === "begins" && count > 0 ? { failed: count, ...last } : {};
}

/** The line of the first event had the stack. */
function withoutStack({ err, ...fields }: LogLine["fields"]): LogLine["fields"] {
  return err instanceof Error ? { ...fields, problem: err.message } : fields;
}

function seconds(lengthMs: number): LogLine["fields"] {
  return { seconds: Math.round(lengthMs / 1000) };
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** A duration in its two largest units: `45s`, `1m30s`, `2h5m`, `3d`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  for (const [i, [unit, size]] of UNITS.entries()) {
    if (seconds < size) continue;
    const [smaller, part] = UNITS[i + 1] ?? (["s", 1] as const);
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)}${unit}${rest === 0 ? "" : `${rest}${smaller}`}`;
  }
  return `${seconds}s`;
}
