/** The words and signs that people use for a status, a priority, and for nothing. */

/** What the status of a row means for an import. */
export type WordedStatus =
  | "complete"
  | "cancelled"
  /** Not begun, or waiting: the dependencies say when it can begin. */
  | "open"
  | "in progress"
  | "failed"
  /** Nobody should begin it now. The coordinator has no such status. */
  | "deferred";

const STATUS_WORDS: Readonly<Record<WordedStatus, readonly string[]>> = {
  complete: [
    ...["done", "complete", "completed", "finished", "closed", "resolved", "merged", "shipped"],
    ...["delivered", "released", "deployed", "accepted", "verified", "fixed", "x"],
  ],
  cancelled: [
    ...["cancelled", "canceled", "dropped", "abandoned", "rejected", "wontfix", "wont fix"],
    ...["wont do", "obsolete", "duplicate", "skipped", "removed", "superseded", "declined"],
  ],
  open: [
    ...["open", "available", "ready", "pending", "todo", "to do", "planned", "not started", "new"],
    ...["backlog", "queued", "waiting", "blocked", "scheduled", "unclaimed", "unassigned", "next"],
    ...["unstarted", "not begun", "incomplete", "not done", "proposed", "draft", "free", "hold"],
  ],
  "in progress": [
    ...[
      "in progress",
      "wip",
      "work in progress",
      "claimed",
      "started",
      "doing",
      "active",
      "ongoing",
    ],
    ...["working", "running", "assigned", "in review", "review", "reviewing", "in testing"],
    ...["testing", "partial", "partially complete", "partially done", "hooked", "in development"],
  ],
  failed: ["failed", "failure", "error", "broken"],
  deferred: ["deferred", "postponed", "paused", "on hold", "on ice", "later", "someday", "pinned"],
};

/** Signs count only if no word says more. A lone cross means "no", "failed" or "dropped", so it is unknown. */
const STATUS_SIGNS: Readonly<Record<WordedStatus, string>> = {
  complete: "✅✔☑🎉🏁✓",
  cancelled: "🗑",
  open: "⏳⌛📋🟢⚪⬜🔲🚫⛔🔒🆕📝⭕",
  "in progress": "🔄🚧🏃🔨🛠🟡🔵👷",
  failed: "💥",
  deferred: "⏸💤🧊",
};

const BY_WORD = new Map(
  Object.entries(STATUS_WORDS).flatMap(([status, words]) =>
    words.map((word) => [word, status as WordedStatus] as const),
  ),
);
const MAX_WORDS = 3;

/** `null` for words that are not known. An empty cell means that the task is open. */
export function statusOf(text: string): WordedStatus | null {
  // 80 % complete is not complete.
  if (/(?<!\d)\d{1,2}(?:[.,]\d+)?\s*%/.test(text)) return "in progress";
  const words = text
    .toLowerCase()
    .replace(/['’]/g, "")
    .replace(/\([^)]*\)?/g, " ")
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "" && !/^\d+$/.test(word));
  for (let count = Math.min(MAX_WORDS, words.length); count > 0; count--) {
    const status = BY_WORD.get(words.slice(0, count).join(" "));
    if (status !== undefined) return status;
  }
  if (words.length > 0) return null;
  for (const [status, signs] of Object.entries(STATUS_SIGNS)) {
    if (Array.from(signs).some((sign) => text.includes(sign))) return status as WordedStatus;
  }
  return isNothing(text) ? "open" : null;
}

export const KNOWN_STATUSES = "done, open, blocked, in progress, failed, deferred or cancelled";

/** Whether a cell says that there is nothing: `None`, `-`, `n/a`, or no text at all. */
export function isNothing(text: string): boolean {
  return /^[\s([]*(?:none|nothing|nil|null|n\/?a|no|tbd|[-–—_.?∅]*)[\s)\]]*$/i.test(text);
}

const PRIORITY_WORDS: Readonly<Record<string, number>> = {
  critical: 0,
  urgent: 0,
  blocker: 0,
  highest: 0,
  high: 1,
  medium: 2,
  normal: 2,
  moderate: 2,
  default: 2,
  low: 3,
  minor: 3,
  lowest: 4,
  trivial: 4,
  backlog: 4,
};

/** `2`, `P2`, `high`, `🔴 High`; `null` for anything else. The limits are checked later. */
export function priorityOf(text: string): number | null {
  const word = text.toLowerCase().replace(/^[^\p{L}\p{N}-]+|[^\p{L}\p{N}]+$/gu, "");
  const number = /^p?(-?\d{1,9})$/.exec(word)?.[1];
  if (number !== undefined) return Number(number);
  return Object.hasOwn(PRIORITY_WORDS, word) ? (PRIORITY_WORDS[word] ?? null) : null;
}

export const KNOWN_PRIORITIES = "0 (most urgent) to 4, or critical, high, medium, low";
