import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { OPERATION_NAMES } from "../../src/protocol/operations.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { RawConnection } from "./raw-connection.ts";

const GARBAGE_HEADERS = [
  "NATS/9.9 xx\r\nn o t: a header\r\n\r\n",
  "NATS/1.0\r\n: no name\r\n\r\n",
  "NATS/1.0\r\nb\0ad: 1\r\n\r\n",
  "NATS/1.0\r\nno colon at all\r\n\r\n",
  "NATS/1.0 503\r\n\r\n",
  "NATS/1.0\r\nNats-Service-Error-Code: 500\r\nKV-Operation: PURGE\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "\xff\xfe\x00\x01",
  "\r\n\r\n",
  "x",
];

/** How many messages the garbage consists of. */
const GARBAGE_COUNT = 5_000;
const SEED = 20_251_112;

describe("a message that is no proper request", () => {
  it("without a reply subject is dropped and counted", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const dropped = coordinator.fact("request_dropped");
    coordinator.connection.publish("tasks.claim.a", JSON.stringify({ session_id: "s1" }));
    assert.equal((await dropped).reason, "no_reply_subject");
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "available");
  });

  it("with malformed headers is answered, and so is the next one", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { title: "A" });
    await using raw = await RawConnection.open(coordinator.server.port);
    raw.subscribe("reply", 1);
    for (const headers of GARBAGE_HEADERS) {
      raw.publishWithHeaders("tasks.get.a", "reply", headers, "{}");
      assert.match((await raw.message("reply")).text, /^\{"ok":true.*"title":"A"/);
      raw.publish("tasks.get.a", "reply", "{}");
      assert.match((await raw.message("reply")).text, /^\{"ok":true/);
    }
    assert.equal(raw.error, null);
    const disconnections = coordinator.facts.filter(
      (fact) => fact.kind === "connection" && fact.state !== "connected",
    );
    assert.deepEqual(disconnections, []);
  });

  it("with malformed headers and without a reply subject is dropped as well", async () => {
    await using coordinator = await TestCoordinator.start();
    await using raw = await RawConnection.open(coordinator.server.port);
    for (const headers of GARBAGE_HEADERS) {
      const dropped = coordinator.fact("request_dropped");
      raw.publishWithHeaders("tasks.stats", "", headers, "{}");
      assert.equal((await dropped).reason, "no_reply_subject");
    }
  });

  it("in place of the acknowledgement of a write does no harm", async () => {
    await using coordinator = await TestCoordinator.start();
    await using raw = await RawConnection.open(coordinator.server.port);
    // A client that may listen to everything learns the subjects to which the worker is answered.
    raw.subscribe("_INBOX.>", 1);
    const learned = new Set<string>();
    for (const id of ["a", "b", "c"]) {
      await coordinator.ok(`tasks.create.${id}`);
      await raw.flush();
      for (const { subject } of raw.take()) if (subject.startsWith("_INBOX.")) learned.add(subject);
    }
    assert.ok(learned.size >= 3);
    for (const subject of learned) {
      for (const headers of GARBAGE_HEADERS) raw.publishWithHeaders(subject, "", headers, "");
      raw.publish(subject, "", "not JSON");
      raw.publish(subject, "", "");
    }
    await raw.flush();
    assert.equal((await coordinator.ok("tasks.get.a")).task.task_id, "a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  });

  it("as garbage, 5,000 times, changes no task and leaves the worker at work", async () => {
    await using coordinator = await TestCoordinator.start();
    const ids = ["a", "b", "c"];
    for (const id of ids) await coordinator.ok(`tasks.create.${id}`);
    await coordinator.ok("tasks.claim.b", { session_id: "holder" });
    const before = await coordinator.ok("tasks.changes");

    await using raw = await RawConnection.open(coordinator.server.port);
    raw.subscribe("garbage.*", 1);
    const messages = fc.sample(garbage(), { numRuns: GARBAGE_COUNT, seed: SEED });
    for (const [i, { subject, payload, headers }] of messages.entries()) {
      if (headers === null) raw.publish(subject, `garbage.${i}`, payload);
      else raw.publishWithHeaders(subject, `garbage.${i}`, headers, payload);
      // Answered before the next hundred come: more at a time is what `overloaded` is for.
      if (i % 100 === 99)
        await Promise.all(range(i - 99, i).map((n) => raw.message(`garbage.${n}`)));
    }
    assert.equal(raw.error, null);

    const reasons = coordinator.facts.flatMap((fact) =>
      fact.kind === "request" && fact.outcome === "internal" ? [String(fact.cause)] : [],
    );
    assert.deepEqual(reasons, []);
    const { changes } = await coordinator.ok("tasks.changes");
    assert.deepEqual(changes, before.changes);
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
  });
});

interface Garbage {
  readonly subject: string;
  readonly payload: Buffer;
  readonly headers: string | null;
}

/** Messages that are wrong in a hundred ways, to every operation, and valid in none that writes. */
function garbage(): fc.Arbitrary<Garbage> {
  const text = fc.oneof(
    fc.json().filter((json) => !isObject(json)),
    fc.string({ unit: "binary" }),
    fc.constantFrom("{", "[", '{"session_id":', "nul", "{}{}", '{"a":1e999', "\u0000"),
    // Objects with a field that no operation knows.
    fc.json().map((json) => `{"surplus":${json}}`),
  );
  const payload = fc.oneof(
    text.map((value) => Buffer.from(value)),
    fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  );
  const id = fc.constantFrom("a", "b", "c", "nothing", "*", ">", "$KV.tasks.a", "x;y");
  const root = fc.constantFrom("", "agent.mallory.", "agent.*.");
  const subject = fc
    .tuple(root, fc.constantFrom(...OPERATION_NAMES), id)
    .map(([prefix, operation, end]) => `${prefix}${operation}.${end}`);
  const headers = fc.option(fc.constantFrom(...GARBAGE_HEADERS));
  return fc.record({ subject, payload, headers }).filter((message) => !isHarmful(message));
}

/** By chance a payload may be blank, which is an empty body and so a valid request. */
function isHarmful({ payload }: Garbage): boolean {
  const text = payload.toString();
  return (
    text.trim() === "" || (isObject(text.replaceAll("\ufffd", "")) && !text.includes("surplus"))
  );
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
