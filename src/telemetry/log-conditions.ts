/**
 * What lasts, or comes again and again, takes a few lines of the log instead of thousands: one when it
 * begins, one every 30 s while it lasts, one when it ends, with its length.
 *
 * - A **state** has a beginning and an end that are told, such as a lost connection.
 * - A **burst** is made of events that nobody ends, such as writes without an acknowledgement. The first
 *   one has its line, the others are counted. It ends when none has come for 10 s; one that stayed
 *   alone needs no other line.
 * - What fails because NATS cannot be reached while the connection is lost belongs to that state.
 *
 * What is only counted has its line at `debug`. Time is passed in: `logger.ts` has the timer.
 */
import type { Fact } from "../service/ports.ts";
import { type Lasting, lastingOf } from "./lasting-facts.ts";
import { type LogLine, logLineOf } from "./log-lines.ts";

/** How often something that lasts is told again, in milliseconds. */
export const REMIND_MS = 30_000;
/** A burst has ended when nothing of it has come for so long, in milliseconds. */
export const QUIET_MS = 10_000;

interface Condition {
  readonly lasting: Exclude<Lasting, { readonly kind: "ends" }>;
  readonly beganAt: number;
  toldAt: number;
  lastAt: number;
  /** Events of a burst, or what failed because of a state. */
  count: number;
  /** What the last of them was about. */
  last: LogLine["fields"];
  /** Of the count, how much has been told. */
  told: number;
}

export class LogConditions {
  readonly #open = new Map<string, Condition>();

  /** Whether `due` may have something to say later. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** The lines for a fact that is told at `now` (milliseconds of any clock that only goes forward). */
  note(fact: Fact, now: number): LogLine[] {
    const line = logLineOf(fact);
    const lasting = lastingOf(fact);
    if (lasting === null) return [line];
    if (lasting.kind === "ends") return [this.#end(lasting, line, now)];
    const around = lasting.within === undefined ? undefined : this.#open.get(lasting.within);
    const condition = around ?? this.#open.get(lasting.key);
    if (condition === undefined) {
      const times = { beganAt: now, toldAt: now, lastAt: now };
      const isBurst = lasting.kind === "happens";
      const count = isBurst ? 1 : 0;
      this.#open.set(lasting.key, { lasting, ...times, count, told: count, last: {} });
      return [line];
    }
    condition.lastAt = now;
    if (lasting.kind === "happens") {
      condition.count++;
      condition.last = withoutStack({ ...line.fields, ...lasting.about });
    }
    return [{ ...line, level: "debug" }];
  }

  /** What is to be said now; to be asked for about once a second. */
  due(now: number): LogLine[] {
    const lines: LogLine[] = [];
    for (const [key, condition] of this.#open) {
      const { lasting, lastAt, toldAt, count, told } = condition;
      const isBurst = lasting.kind === "happens";
      if (isBurst && now - lastAt >= QUIET_MS) {
        this.#open.delete(key);
        if (count > 1) lines.push(over(condition));
      } else if (now - toldAt >= REMIND_MS && !(isBurst && count === told)) {
        condition.toldAt = now;
        condition.told = count;
        lines.push(reminder(condition, now));
      }
    }
    return lines;
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
    message: `${lasting.message}, again and again for ${durationText(length)}`,
    fields: { ...seconds(length), times: condition.count, ...condition.last },
  };
}

function over({ lasting, beganAt, lastAt, count, last }: Condition): LogLine {
  const length = lastAt - beganAt;
  return {
    level: "info",
    message: `no longer: ${lasting.kind === "happens" ? lasting.message : ""}`,
    fields: { ...seconds(length), times: count, ...last },
  };
}

/** What failed while a state lasted. */
function failures({ lasting, count, last }: Condition): LogLine["fields"] {
  return lasting.kind === "begins" && count > 0 ? { failed: count, ...last } : {};
}

/** The first one had it. */
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

/** In the two largest units that it has: `45s`, `1m30s`, `2h5m`, `3d`. */
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
