/** Kinds of messages that are known to be dangerous: each has once brought a defect about. */
export const HAZARDS = [
  /** A reply subject below `$KV.`: the worker writes its answer into a bucket, over what is there. */
  "reply into a bucket",
  /** Bytes that are no UTF-8 are taken for U+FFFD: what is stored is not what was sent. */
  "invalid utf-8",
  /** A field `__proto__` of `metadata` is left out without a word. */
  "metadata named __proto__",
  /** The tasks are created, and then the list of warnings is larger than NATS carries. */
  "refused import",
  /** The session is registered, and then the answer is larger than NATS carries. */
  "refused registration",
  /** A cycle of so many tasks that the refusal is larger than NATS carries: nobody is answered. */
  "unanswered cycle",
] as const;

export type Hazard = (typeof HAZARDS)[number];

/**
 * Those whose defect is not mended yet. Runs leave them out, unless `--known-defects` puts them in, and
 * test/fuzz/known-defects.test.ts shows that each is found. Whoever mends one removes it here.
 */
export const KNOWN_DEFECTS: readonly Hazard[] = ["metadata named __proto__", "refused import"];

/** What a run includes. */
export function hazards(withKnownDefects: boolean): ReadonlySet<Hazard> {
  return new Set(HAZARDS.filter((one) => withKnownDefects || !KNOWN_DEFECTS.includes(one)));
}
