/** Where `watch` begins: now, with all that the bucket keeps, after a revision, or some time ago. */
import { InvalidArgumentError } from "commander";
import type { TaskUpdate } from "../../client/task-update.ts";
import { UsageError } from "../shared/errors.ts";
import { parseDuration } from "../shared/parse-values.ts";

export type WatchSince =
  | { readonly from: "now" | "beginning" }
  | { readonly from: "revision"; readonly revision: number }
  | { readonly from: "ago"; readonly ms: number };

export interface Start {
  /** The subscription delivers what was written after it. */
  readonly revision: number;
  wants(update: Pick<TaskUpdate, "timestamp">): boolean;
}

export function parseSince(text: string): WatchSince {
  if (text === "now" || text === "beginning") return { from: text };
  if (/^\d+$/.test(text)) {
    const revision = Number(text);
    if (Number.isSafeInteger(revision)) return { from: "revision", revision };
  } else if (/^\d/.test(text)) return { from: "ago", ms: parseDuration(text) };
  throw new InvalidArgumentError(
    "It must be now, beginning, a revision such as 120, or a duration such as 10m.",
  );
}

/**
 * @param last the last revision of the bucket
 * @throws UsageError for a revision that does not exist yet
 */
export function startOf(since: WatchSince, last: number, now: number): Start {
  const all = { wants: () => true };
  switch (since.from) {
    case "now":
      return { revision: last, ...all };
    case "beginning":
      return { revision: 0, ...all };
    case "revision":
      if (since.revision <= last) return { revision: since.revision, ...all };
      throw new UsageError(
        `--since ${since.revision}: the last revision is ${last}. Was the bucket created again?`,
      );
    case "ago":
      // No index leads from a time to a revision.
      return { revision: 0, wants: ({ timestamp }) => Date.parse(timestamp) >= now - since.ms };
  }
}
