/**
 * Bytes that are no message: NATS complains, ends the connection, or waits for more. Each violation has a
 * connection of its own, and none may reach a worker.
 */
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { type Problem, unattributed } from "./rounds.ts";
import { Buckets, differences } from "./bucket-state.ts";
import type { Target } from "./target.ts";
import { Wire } from "./wire.ts";

const SUBJECT = "tasks.create.violation";
const SETTLE_MS = 100;
/** Time for a complaint of NATS. */
const REACTION_MS = 50;

export function violations(maxPayload: number): fc.Arbitrary<Buffer> {
  const lines = [
    ...["tasks.create.x; rm -rf / reply 2", `${SUBJECT} reply more 2`, "", " ", "reply", SUBJECT],
    ...[`${SUBJECT} reply -1`, `${SUBJECT} reply 1e3`, `${SUBJECT} reply 99999999999999999999`],
    ...[`${SUBJECT} reply ${maxPayload + 1}`, `${SUBJECT} reply 0x2`, `${SUBJECT} reply 3`],
    ...[`${SUBJECT}${".a".repeat(2_500)} reply 2`, `${SUBJECT} ${"r".repeat(5_000)} 2`],
  ];
  const headerLines = [
    ...[`${SUBJECT} reply 99 10`, `${SUBJECT} reply -1 2`, `${SUBJECT} reply 2`, SUBJECT],
    ...[`${SUBJECT} reply 12 ${maxPayload + 1}`, `${SUBJECT} reply 4294967296 2`],
  ];
  return fc.oneof(
    fc.constantFrom(...lines).map((line) => Buffer.from(`PUB ${line}\r\n{}\r\n`)),
    fc
      .constantFrom(...headerLines)
      .map((line) => Buffer.from(`HPUB ${line}\r\nNATS/1.0\r\n\r\n{}\r\n`)),
    fc.constantFrom("MSG", "RMSG", "LMSG", "A+", "PUB\0").map((verb) => {
      return Buffer.from(`${verb} ${SUBJECT} 1 2\r\n{}\r\n`);
    }),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(Buffer.from(`PUB ${SUBJECT} reply ${maxPayload}\r\n{`)),
  );
}

/** Tries this number of violations. */
export async function runViolations(
  target: Target,
  { seed, count }: { readonly seed: number; readonly count: number },
): Promise<readonly Problem[]> {
  const buckets = await Buckets.open(target.connection);
  const [before, facts] = [await buckets.state(), await target.facts()];
  const maxPayload = target.connection.info?.max_payload ?? 0;
  for (const bytes of fc.sample(violations(maxPayload), { seed, numRuns: count })) {
    await using wire = await Wire.open(target.port, () => undefined);
    wire.send(bytes);
    await Promise.race([wire.flush(), delay(REACTION_MS)]);
  }
  await delay(SETTLE_MS);
  const now = await target.facts();
  const problems = now.alarms.slice(facts.alarms.length);
  if (now.requests !== facts.requests) problems.push("a worker received a violation");
  problems.push(...differences(before, await buckets.state()));
  return problems.map(unattributed);
}
