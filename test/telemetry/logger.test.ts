/** What the log says, and the shape of its lines. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fact } from "../../src/service/ports.ts";
import { DebugLines, MAX_DEBUG_LINES } from "../../src/telemetry/debug-lines.ts";
import { createLogger, type LoggerOptions } from "../../src/telemetry/logger.ts";
import { type RequestFact, requestFact } from "../support/request-fact.ts";

const LEASE = { taskId: "P0.5.1", attempt: 3 };

const LEVELS: readonly (readonly [string, Fact])[] = [
  ["debug", request("ok")],
  ["debug", request("already_claimed")],
  ["warn", request("overloaded")],
  ["info", request("forbidden")],
  ["info", request("limit_reached")],
  ["error", { ...request("internal"), cause: new Error("boom") }],
  ["info", { kind: "request_dropped", reason: "no_reply_subject", times: 1 }],
  ["debug", { kind: "answer_undelivered", operation: "tasks.next" }],
  [
    "debug",
    {
      kind: "task_written",
      ...LEASE,
      event: "task_claimed",
      revision: 9,
      sessionId: "session-1",
      principal: null,
    },
  ],
  ["debug", { kind: "write_conflict", taskId: "P0.5.1" }],
  ["warn", { kind: "write_unknown", taskId: "P0.5.1" }],
  ["info", { kind: "requeued_by_operator", taskId: "P0.5.1", from: null }],
  ["warn", { kind: "requeued_by_operator", taskId: "P0.5.1", from: "session-1" }],
  ["debug", { kind: "lease_granted", ...LEASE }],
  ["warn", { kind: "lease_restored", ...LEASE }],
  ["info", { kind: "lease_expired", ...LEASE }],
  ["debug", { kind: "lease_spared", ...LEASE }],
  ["warn", { kind: "outage_grace", seconds: 10, spared: 3 }],
  ["debug", { kind: "task_removed", taskId: "P0.5.1" }],
  ["warn", { kind: "corrupt_record", taskId: "P0.5.1", problem: "the value is not JSON" }],
  ["info", { kind: "bucket_made", bucket: "tasks" }],
  ["warn", { kind: "bucket_remade", bucket: "leases" }],
  ["warn", { kind: "bucket_replaced", bucket: "tasks", madeAt: "2025-11-12T17:30:00Z" }],
  ["warn", { kind: "watch_failed", bucket: "tasks", cause: new Error("no heartbeat") }],
  ["error", { kind: "bucket_problem", bucket: "tasks", problem: "it was deleted" }],
  ["info", { kind: "bucket_problem", bucket: "tasks", problem: null }],
  ["error", { kind: "writes_refused", bucket: "tasks", reason: "maximum bytes exceeded" }],
  ["info", { kind: "writes_refused", bucket: "tasks", reason: null }],
  ["info", { kind: "stream_made", stream: "AUDIT" }],
  ["error", { kind: "audit_problem", problem: "insufficient storage" }],
  ["info", { kind: "audit_problem", problem: null }],
  ["warn", { kind: "audit_lost", entries: 3, reason: "the worker has stopped" }],
  ["warn", { kind: "start_waits", problem: "connection refused" }],
  ["info", { kind: "start_waits", problem: null }],
  ["info", { kind: "index_current", tasks: 397, seconds: 0.02 }],
  ["info", { kind: "connection", state: "connected", server: "127.0.0.1:4222" }],
  ["warn", { kind: "connection", state: "disconnected", server: "127.0.0.1:4222" }],
  ["error", { kind: "background_error", what: "expiring P0.5.1", cause: new Error("boom") }],
  ["debug", { kind: "variables_ignored", names: ["IF_COORDINATOR_SERVICE_HOST"] }],
  ["warn", { kind: "warning", message: "the bucket has no replicas" }],
];

describe("the log as JSON", () => {
  for (const [level, fact] of LEVELS) {
    it(`has ${described(fact)} at ${level}`, () => {
      const lines = jsonLines({ level: "debug" }, [fact]);
      assert.equal(lines.length, 1);
      const { level: written, time, msg } = lines[0] ?? {};
      assert.equal(written, level);
      assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
      assert.ok(typeof msg === "string" && msg.length > 0);
    });
  }

  it("says which attempt of which task a lease belonged to", () => {
    const [line = {}] = jsonLines({ level: "info" }, [{ kind: "lease_expired", ...LEASE }]);
    assert.equal(line.task_id, "P0.5.1");
    assert.equal(line.attempt, 3);
  });

  it("names the holder from whom an operator took a task", () => {
    const fact: Fact = { kind: "requeued_by_operator", taskId: "P0.5.1", from: "session-1" };
    const [line] = jsonLines({ level: "warn" }, [fact]);
    assert.equal(line?.from, "session-1");
  });

  it("has the stack of a defect, and of what caused it", () => {
    const cause = new Error("outer", { cause: new Error("inner") });
    const [line = {}] = jsonLines({ level: "error" }, [{ ...request("internal"), cause }]);
    const { stack } = line.err as { stack: string };
    assert.match(stack, /outer[^]*logger\.test[^]*inner/);
    assert.equal(line.operation, "tasks.claim");
  });

  it("says what was thrown if it is not an Error", () => {
    const fact: Fact = { kind: "background_error", what: "renewing", cause: "a string" };
    const [line] = jsonLines({ level: "error" }, [fact]);
    assert.match(JSON.stringify(line), /a string/);
  });

  it("is empty at info while requests succeed", () => {
    const facts: Fact[] = [
      request("ok"),
      {
        kind: "task_written",
        ...LEASE,
        event: "task_claimed",
        revision: 9,
        sessionId: "s",
        principal: null,
      },
      { kind: "lease_granted", ...LEASE },
    ];
    assert.deepEqual(jsonLines({ level: "info" }, facts), []);
  });

  it("is empty when silent, for every kind of fact", () => {
    assert.deepEqual(
      jsonLines(
        { level: "silent" },
        LEVELS.map(([, fact]) => fact),
      ),
      [],
    );
  });
});

describe("the log of a flood", () => {
  const FLOOD: readonly Fact[] = [
    { kind: "request_dropped", reason: "no_reply_subject", times: 1 },
    { kind: "request_dropped", reason: "malformed", times: 1 },
    { kind: "answer_undelivered", operation: "tasks.next" },
    { kind: "write_conflict", taskId: "P0.5.1" },
    { kind: "corrupt_record", taskId: "P0.5.1", problem: "the value is not JSON" },
    ...(["ok", "forbidden", "overloaded", "limit_reached", "too_large", "not_holder"] as const).map(
      (outcome) => requestFact({ outcome, principal: "agent.s1" }),
    ),
  ];
  const flood = (): Fact[] => Array.from({ length: 10_000 }, () => FLOOD).flat();

  it("has one line of each kind at info", () => {
    const lines = jsonLines({ level: "info" }, flood());
    const corrupt = lines.filter(({ msg }) => String(msg).includes("not a task"));
    assert.deepEqual([corrupt.length, lines.length - corrupt.length], [10, 5]);
  });

  it("has a bounded number of lines a second at debug", () => {
    const startedAt = performance.now();
    const lines = jsonLines({ level: "debug" }, flood());
    const seconds = Math.ceil((performance.now() - startedAt) / 1_000) + 1;
    assert.ok(lines.length <= seconds * MAX_DEBUG_LINES + 15, `${lines.length} in ${seconds} s`);
  });

  it("says at debug how many lines are left out", () => {
    const lines = new DebugLines();
    const allowed = Array.from({ length: 5_000 }, (_, i) => lines.allows(i % 1_000)).filter(
      Boolean,
    );
    assert.equal(allowed.length, MAX_DEBUG_LINES);
    assert.deepEqual(
      lines.due().map(({ fields }) => fields),
      [{ lines: 4_000 }],
    );
    assert.deepEqual([lines.due(), lines.isOpen, lines.allows(1_000)], [[], false, true]);
  });
});

describe("the log for people", () => {
  it("is one line of time, level, message and fields", () => {
    const [text = ""] = write({ level: "info", format: "pretty" }, [
      { kind: "lease_restored", ...LEASE },
    ]);
    assert.match(
      text,
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}lease restored for a claim without one task_id=P0\.5\.1 attempt=3\n$/,
    );
  });

  it("leaves out fields without a value", () => {
    const [text = ""] = write({ level: "debug", format: "pretty" }, [request("ok")]);
    assert.doesNotMatch(text, /principal/);
    assert.match(text, /outcome=ok seconds=0\.000123\n$/);
  });

  it("has the stack of a defect below the line", () => {
    const fact: Fact = { kind: "background_error", what: "expiring", cause: new Error("boom") };
    const [text = ""] = write({ level: "info", format: "pretty" }, [fact]);
    assert.match(
      text,
      /^\S+ ERROR background work failed: expiring\n {4}Error: boom\n {4}at .*logger/,
    );
  });

  it("keeps a value with line ends and control characters on its line", () => {
    const problem = 'x\n12:00:00.000 ERROR forged a="b"\u001b[2J';
    const [text = ""] = write({ level: "info", format: "pretty" }, [
      { kind: "corrupt_record", taskId: "P0.5.1", problem },
      { kind: "warning", message: problem },
    ]);
    assert.equal(text.split("\n").length, 2);
    assert.doesNotMatch(text, /\u001b/);
    assert.match(text, /problem="x\\n12:00:00\.000 ERROR forged a=\\"b\\"/);
  });

  it("keeps a message with line ends on its line", () => {
    const [text] = write({ level: "info", format: "pretty" }, [
      { kind: "warning", message: "first\nsecond" },
    ]);
    assert.match(text ?? "", /WARN {2}first\\u\{a\}second\n$/);
  });
});

function request(outcome: RequestFact["outcome"]): RequestFact {
  return requestFact({ outcome });
}

function described(fact: Fact): string {
  switch (fact.kind) {
    case "request":
      return `a request with the outcome ${fact.outcome}`;
    case "connection":
      return `connection ${fact.state}`;
    case "requeued_by_operator":
      return fact.from === null ? "requeue" : "requeue of a claimed task";
    default:
      return fact.kind;
  }
}

function write(options: LoggerOptions, facts: readonly Fact[]): string[] {
  const lines: string[] = [];
  const observe = createLogger({ ...options, destination: { write: (line) => lines.push(line) } });
  for (const fact of facts) observe(fact);
  return lines;
}

function jsonLines(
  options: Omit<LoggerOptions, "format">,
  facts: readonly Fact[],
): Record<string, unknown>[] {
  const lines = write({ ...options, format: "json" }, facts);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
