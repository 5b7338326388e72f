/** The lines that a run prints. */
import type { Outcome } from "./run.ts";

export function formatOutcome(outcome: Outcome): string[] {
  const { acknowledged, lost, lostSeconds, holes, bucketForgotten, attemptsBack, toldTwice } =
    outcome;
  const share = ((100 * lost.length) / Math.max(1, acknowledged)).toFixed(1);
  const kinds = (["create", "claim", "release"] as const)
    .map((kind) => `${lost.filter((one) => one.kind === kind).length} ${kind}`)
    .join(", ");
  return [
    `${acknowledged} writes were acknowledged; ${lost.length} of them (${share} %) are lost: ${kinds}`,
    `the oldest lost write was acknowledged ${lostSeconds.toFixed(2)} s before the power failed`,
    `${holes} lost writes are older than one that was kept${bucketForgotten ? "; the bucket was forgotten until a worker created it again" : ""}`,
    `${attemptsBack.size} tasks have a lower attempt than was told; ${toldTwice} of the first 50 of ` +
      "them were claimed again under an attempt that somebody has",
    `${outcome.claimedWithoutLease} tasks were claimed without a lease, ${outcome.stuck} stayed so`,
    `the tasks could be read again after ${(outcome.readableMs / 1000).toFixed(1)} s`,
    `the nodes ended by themselves ${outcome.endings} times; ` +
      (outcome.differing.length === 0
        ? "all have the same"
        : `they differ: ${outcome.differing.join("; ")}`),
    ...outcome.complaints.map((line) => `nats-server: ${line}`),
  ];
}
