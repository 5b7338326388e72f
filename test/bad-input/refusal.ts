/** What every refusal has to be like: precise, harmless, and followed by service as usual. */
import assert from "node:assert/strict";
import { type ErrorCode, ERRORS } from "../../src/protocol/errors.ts";
import type { Json, TestCoordinator } from "../support/test-coordinator.ts";

export interface Refusal {
  readonly code: ErrorCode;
  /** Words of the message: the field, what is wrong with it, the cure. */
  readonly says: readonly string[];
  readonly field?: string;
}

/**
 * Sends a request that has to be refused like this, in body and headers, without a trace in the bucket
 * of tasks. Returns the reply.
 */
export async function assertRefused(
  coordinator: TestCoordinator,
  subject: string,
  body: object | string | Uint8Array,
  { code, says, field }: Refusal,
): Promise<Json> {
  const before = await revision(coordinator);
  const data = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const message = await coordinator.connection.request(subject, data, { timeout: 10_000 });
  const reply = message.json<Json>();
  assert.equal(reply.ok, false, JSON.stringify(reply));
  const { error } = reply;
  assert.equal(error.code, code, error.message);
  for (const words of says) {
    assert.ok(error.message.includes(words), `"${error.message}" does not say "${words}"`);
  }
  if (field !== undefined) assert.equal(error.field, field);
  assert.equal(error.retryable, ERRORS[code].retryable);
  assert.equal(message.headers?.get("Nats-Service-Error-Code"), String(ERRORS[code].status));
  assert.equal(message.headers.get("Nats-Service-Error"), code);
  // The worker answers, and nothing was written.
  assert.equal(await revision(coordinator), before);
  return reply;
}

/** The last revision of the bucket of tasks. */
export async function revision(coordinator: TestCoordinator): Promise<number> {
  const { revision } = await coordinator.ok("tasks.stats");
  return revision as number;
}
