/** Conditions that last and events that repeat in the log. The test sets the time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import type { Fact } from "../../src/service/ports.ts";
import { durationText, LogConditions, MAX_NAMED } from "../../src/telemetry/log-conditions.ts";
import type { LogLevel } from "../../src/telemetry/log-lines.ts";
import { requestFact } from "../support/request-fact.ts";

const LOST: Fact = { kind: "connection", state: "disconnected", server: "n1:4222" };
const BACK: Fact = { kind: "connection", state: "connected", server: "n1:4222" };
const UNAVAILABLE = new CoordinatorError("unavailable", "NATS did not answer");

function failed(what: string, cause: Error = UNAVAILABLE): Fact {
  return { kind: "background_error", what, cause };
}

/** The lines at `info` and above, each with its second. */
class Log {
  readonly lines: { at: number; level: LogLevel; message: string; fields: any }[] = [];
  readonly #conditions = new LogConditions();
  #now = 0;

  note(...facts: readonly Fact[]): void {
    for (const fact of facts) this.#take(this.#conditions.note(fact, this.#now * 1_000));
  }

  /** Lets seconds pass, with these facts in each second. */
  pass(seconds: number, ...facts: readonly Fact[]): void {
    for (let i = 0; i < seconds; i++) {
      this.#now++;
      this.note(...facts);
      this.#take(this.#conditions.due(this.#now * 1_000));
    }
  }

  get messages(): string[] {
    return this.lines.map(({ at, message }) => `${at} ${message}`);
  }

  get isQuiet(): boolean {
    return !this.#conditions.isOpen;
  }

  #take(lines: readonly { level: LogLevel; message: string; fields: object }[]): void {
    for (const line of lines)
      if (line.level !== "debug") this.lines.push({ at: this.#now, ...line });
  }
}

describe("an outage in the log", () => {
  it("has a line when it begins, one every 30 s, and one when it ends, with its length", () => {
    const log = new Log();
    log.note(LOST);
    log.pass(102);
    log.note(BACK);
    log.pass(60);
    assert.deepEqual(log.messages, [
      "0 connection to NATS lost",
      "30 still without NATS for 30s",
      "60 still without NATS for 1m",
      "90 still without NATS for 1m30s",
      "102 connected to NATS again after 1m42s",
    ]);
    assert.equal(log.lines.at(-1)?.fields.seconds, 102);
    assert.ok(log.isQuiet);
  });

  it("counts the failures in it, and names the last one", () => {
    const log = new Log();
    log.note(LOST);
    const unknown: Fact = { kind: "write_unknown", taskId: "t1" };
    log.pass(45, unknown, failed("lease of t1"), failed("removal of t2"));
    log.note(BACK);
    assert.equal(log.lines.length, 3);
    const { fields } = log.lines.at(-1) ?? {};
    assert.deepEqual([fields.failed, fields.last], [135, "removal of t2"]);
  });

  it("is logged again the next time", () => {
    const log = new Log();
    for (const fact of [LOST, BACK, LOST, BACK]) {
      log.note(fact);
      log.pass(1);
    }
    assert.equal(log.lines.length, 4);
  });
});

describe("background work that fails repeatedly", () => {
  it("has no stack in an outage, and is counted while it goes on", () => {
    const log = new Log();
    for (let i = 0; i < 50; i++) {
      const facts = Array.from({ length: 16 }, (_, j) => failed(`lease of t${i}-${j}`));
      log.pass(1, ...facts);
    }
    log.pass(10);
    assert.deepEqual(log.messages, [
      "1 background work failed: lease of t0-0",
      "31 background work fails because NATS cannot be used, repeatedly for 30s",
      "60 ended: background work fails because NATS cannot be used",
    ]);
    const [first, reminder, end] = log.lines;
    assert.equal(first?.fields.err, undefined);
    assert.deepEqual([reminder?.fields.times, reminder?.fields.last], [496, "lease of t30-15"]);
    assert.deepEqual([end?.fields.times, end?.fields.seconds], [800, 49]);
    assert.ok(log.isQuiet);
  });

  it("has the stack of a defect once, for each kind of work", () => {
    const log = new Log();
    const boom = new TypeError("boom");
    log.pass(20, failed("lease of t1", boom), failed("removal of t1", boom));
    log.pass(10);
    assert.deepEqual(log.messages.slice(0, 2), [
      "1 background work failed: lease of t1",
      "1 background work failed: removal of t1",
    ]);
    assert.equal(log.lines.length, 4);
    assert.deepEqual(
      log.lines.map(({ fields }) => fields.err === boom),
      [true, true, false, false],
    );
  });
});

describe("an event that happens once", () => {
  it("has one line and no end", () => {
    const log = new Log();
    log.note({ kind: "write_unknown", taskId: "t1" });
    log.note({ kind: "request_dropped", reason: "malformed", times: 1 });
    log.note({ kind: "watch_failed", bucket: "tasks", cause: new Error("no heartbeat") });
    log.pass(100);
    assert.equal(log.lines.length, 3);
    assert.ok(log.isQuiet);
  });
});

describe("other lines that repeat", () => {
  for (const [name, fact] of [
    ["dropped requests", { kind: "request_dropped", reason: "no_reply_subject", times: 1 }],
    ["overload", requestFact({ outcome: "overloaded" })],
    ["a defect", requestFact({ outcome: "internal", cause: new Error() })],
    ["unknown writes", { kind: "write_unknown", taskId: "t1" }],
    ["restored leases", { kind: "lease_restored", taskId: "t1", attempt: 1 }],
    ["broken watches", { kind: "watch_failed", bucket: "tasks", cause: new Error("gone") }],
  ] as const satisfies readonly (readonly [string, Fact])[]) {
    it(`are bounded and counted: ${name}`, () => {
      const log = new Log();
      log.pass(65, fact, fact, fact);
      log.pass(30);
      assert.equal(log.lines.length, 4, log.messages.join("\n"));
      assert.equal(log.lines.at(-1)?.fields.times, 195);
    });
  }
});

describe("events that each name a task or a session", () => {
  for (const [name, fact] of [
    ["expired leases", { kind: "lease_expired", taskId: "t1", attempt: 1 }],
    ["lost connections", { kind: "lease_disconnected", taskId: "t1", attempt: 1 }],
    ["sessions taken over", { kind: "session_replaced", sessionId: "s1", released: 1 }],
    ["requeued tasks", { kind: "requeued_by_operator", taskId: "t1", from: null }],
    ["tasks taken from holders", { kind: "requeued_by_operator", taskId: "t1", from: "s1" }],
    ["corrupt records", { kind: "corrupt_record", taskId: "t1", problem: "no JSON" }],
  ] as const satisfies readonly (readonly [string, Fact])[]) {
    it(`have ten lines, and are counted after that: ${name}`, () => {
      const log = new Log();
      log.pass(8, fact);
      log.pass(30);
      assert.equal(log.lines.length, 8, "a few events need no line that counts them");
      log.pass(65, fact, fact, fact);
      log.pass(30);
      assert.equal(log.lines.length - 8, 10 + 3, log.messages.join("\n"));
      assert.equal(log.lines.at(-1)?.fields.times, 195);
    });
  }
});

describe("refusals", () => {
  it("are counted for each principal", () => {
    const log = new Log();
    const [s1, s2] = ["agent.s1", "agent.s2"].map((principal) =>
      requestFact({ outcome: "forbidden", operation: "tasks.update", principal }),
    ) as [Fact, Fact];
    log.pass(20, s1, s1, s2);
    log.pass(10);
    assert.deepEqual(
      log.lines.map(({ at, message, fields }) => [at, message, fields.principal, fields.times]),
      [
        [1, "request refused because it is forbidden", "agent.s1", undefined],
        [1, "request refused because it is forbidden", "agent.s2", undefined],
        [30, "ended: requests are refused because they are forbidden", "agent.s1", 40],
        [30, "ended: requests are refused because they are forbidden", "agent.s2", 20],
      ],
    );
  });

  it("of principals beyond a bounded number are counted together", () => {
    const log = new Log();
    for (let i = 0; i < 100_000; i++) {
      const principal = `agent.invented-${i}`;
      log.note(requestFact({ outcome: i % 2 === 0 ? "forbidden" : "overloaded", principal }));
    }
    assert.equal(log.lines.length, MAX_NAMED + 2);
    log.pass(10);
    assert.deepEqual(
      log.lines.slice(MAX_NAMED + 2).map(({ fields }) => [fields.principal, fields.times]),
      [
        ["others", 49_990],
        ["others", 49_990],
      ],
    );
    assert.ok(log.isQuiet);
    log.note(requestFact({ outcome: "forbidden", principal: "agent.s1" }));
    assert.equal(log.lines.length, MAX_NAMED + 5, "later the places are free again");
  });
});

describe("states of a start and of buckets", () => {
  it("have a beginning, reminders that say why, and an end", () => {
    const log = new Log();
    log.note({ kind: "start_waits", problem: "connection refused" });
    log.note({ kind: "bucket_problem", bucket: "tasks", problem: "it was deleted" });
    log.pass(40);
    log.note({ kind: "start_waits", problem: null });
    log.note({ kind: "bucket_problem", bucket: "tasks", problem: null });
    log.pass(40);
    assert.deepEqual(log.messages, [
      "0 waiting for NATS",
      "0 bucket cannot be used",
      "30 still waiting for NATS for 30s",
      "30 bucket cannot be used for 30s",
      "40 NATS is available after 40s",
      "40 bucket can be used again after 40s",
    ]);
    assert.equal(log.lines[2]?.fields.problem, "connection refused");
    assert.equal(log.lines[3]?.fields.bucket, "tasks");
  });
});

describe("a duration", () => {
  it("is written in its two largest units", () => {
    for (const [seconds, text] of [
      ...([
        [0, "0s"],
        [59.4, "59s"],
        [60, "1m"],
        [90, "1m30s"],
      ] as const),
      ...([
        [3_600, "1h"],
        [7_530, "2h5m"],
        [90_000, "1d1h"],
      ] as const),
    ]) {
      assert.equal(durationText(seconds * 1_000), text);
    }
  });
});
