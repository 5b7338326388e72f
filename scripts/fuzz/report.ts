/** The lines that a run prints. */
import { describe, type FuzzMessage, toBase64 } from "./message.ts";
import type { MutationResult } from "./mutation-run.ts";
import type { FuzzOptions } from "./options.ts";
import type { Problem } from "./rounds.ts";
import type { RunResult } from "./run.ts";

/** A longer message is sent again by its number. */
const LONGEST_BASE64 = 6_000;
const MEBIBYTE = 1024 * 1024;

export function reportRun(result: RunResult): string[] {
  const { sent, leftOut, seconds, outcomes, slowest, levels } = result;
  const rows = [...outcomes].map(([source, counts]) => `  ${source}: ${sorted(counts)}`);
  const heaps = levels.map((level) =>
    level.heaps.map((heap) => (heap / MEBIBYTE).toFixed(1)).join(", "),
  );
  const subscriptions = levels.map((level) => level.subscriptions.join(", "));
  return [
    `${sent} messages in ${seconds.toFixed(1)} s, ${Math.round(sent / seconds)} a second; ` +
      `${leftOut} more were made and not sent, because they might have changed something`,
    ...rows,
    `memory of the workers in MiB: ${heaps.join("; then ")}`,
    `subscriptions of the workers: ${subscriptions.join("; then ")}`,
    ...(slowest === null
      ? []
      : [`slowest: ${Math.round(slowest.milliseconds)} ms, ${describe(slowest.message)}`]),
  ];
}

export function reportMutations({ sent, outcomes }: MutationResult): string[] {
  return [`${sent} requests that change something:`, `  ${sorted(outcomes)}`];
}

export function reportProblem(
  { what, number, message }: Problem,
  { seed, messages }: Pick<FuzzOptions, "seed" | "messages">,
): string[] {
  const lines = [`✘ ${what}`];
  const command = `npm run fuzz --${message?.agent === undefined ? "" : " --secured"}`;
  if (message !== null) {
    lines.push(`  ${describe(message)}`);
    const base64 = toBase64(message);
    if (needsMore(message)) lines.push(`  ${command} --seed ${seed} --messages ${messages}`);
    else if (base64.length <= LONGEST_BASE64) lines.push(`  ${command} --replay ${base64}`);
  }
  if (number !== null) lines.push(`  ${command} --seed ${seed} --only ${number}`);
  return lines;
}

/** A request that changes something does so only after the requests before it. */
function needsMore({ source }: FuzzMessage): boolean {
  return source === "mutation" || source === "oversized";
}

function sorted(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}
