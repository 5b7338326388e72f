/** The single checks of a run: what they accept, and what they refuse. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeAnswer } from "../../scripts/fuzz/answers.ts";
import { differences } from "../../scripts/fuzz/bucket-state.ts";
import { expectationOf } from "../../scripts/fuzz/expectation.ts";
import { FactCounter, levelProblems } from "../../scripts/fuzz/facts.ts";
import { messages } from "../../scripts/fuzz/generator.ts";
import { fromBase64, type FuzzMessage, toBase64 } from "../../scripts/fuzz/message.ts";
import { parseOptions } from "../../scripts/fuzz/options.ts";
import { messagesOfRound, ROUND } from "../../scripts/fuzz/run.ts";

const MEBIBYTE = 1024 * 1024;
const REFUSED =
  '{"ok":false,"error":{"code":"not_found","message":"there is none","retryable":false}}';
const HEADERS = "NATS/1.0\r\nNats-Service-Error-Code: 404\r\nNats-Service-Error: not_found\r\n\r\n";

function problemOf(text: string, headers = HEADERS): string | null {
  const arrived = { subject: "fuzz.0", headers, payload: Buffer.from(text) };
  return judgeAnswer(arrived, { operation: "tasks.verify", codes: ["ok", "not_found"] }).problem;
}

function message(subject: string, payload: string, more: Partial<FuzzMessage> = {}): FuzzMessage {
  return {
    source: "",
    subject,
    reply: "inbox",
    headers: null,
    payload: Buffer.from(payload),
    ...more,
  };
}

describe("the check of an answer", () => {
  it("accepts what the protocol promises", () => {
    assert.equal(problemOf(REFUSED), null);
    const nobody = '{"ok":true,"holds":false,"holder":null,"attempt":0,"fencing_token":0}';
    assert.equal(problemOf(nobody, ""), null);
  });

  for (const [what, text, headers] of [
    ["an empty answer", ""],
    ["text that is no JSON", "{"],
    ["JSON that is not an object", "[true]"],
    ["JSON that is neither a success nor an error", '{"ok":1}'],
    ["a success without its fields", '{"ok":true}'],
    ["an unknown code", REFUSED.replace("not_found", "teapot")],
    ["a code of the prototype", REFUSED.replace("not_found", "constructor")],
    ["a code that the operation never has", REFUSED.replace("not_found", "conflict")],
    ["internal", REFUSED.replace("not_found", "internal")],
    ["a wrong retryable", REFUSED.replace("false}}", "true}}")],
    ["an error without a message", REFUSED.replace("there is none", "")],
    ["an error without its headers", REFUSED, "NATS/1.0\r\n\r\n"],
    ["the message of NATS that nobody listens", "", "NATS/1.0 503\r\n\r\n"],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.notEqual(problemOf(text, headers), null);
    });
  }
});

describe("the expectation of a message", () => {
  const codesOf = (one: FuzzMessage): string => {
    const expected = expectationOf(one);
    return expected.kind === "answer" ? expected.codes.join(" ") : expected.kind;
  };

  for (const [subject, payload, expected] of [
    ["tasks.get.held", "{}", "ok not_found corrupt_record"],
    ["tasks.get.held", '{"a":1}', "invalid_request"],
    ["tasks.get.held", "{", "invalid_request"],
    ["tasks.get.held", "[]", "invalid_request"],
    ["tasks.get.held", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`, "invalid_request"],
    ["tasks.get", "{}", "invalid_request"],
    ["tasks.get.*", "{}", "invalid_request"],
    ["tasks.stats.held", "{}", "invalid_request"],
    ["tasks.get..held", "{}", "nobody"],
    ["tasks.steal.held", "{}", "nobody"],
    ["agent.a.b.tasks.get.held", "{}", "nobody"],
    ["agent.mallory.tasks.requeue.held", "{}", "forbidden"],
    ["agent.mallory.tasks.claim.held", '{"session_id":"holder"}', "forbidden"],
    ["agent.mallory.sessions.register.holder", "{}", "forbidden"],
    ["tasks.create.new", "{}", "left out"],
    ["tasks.create", "{}", "left out"],
    ["tasks.renew.held", '{"session_id":"holder","attempt":1}', "left out"],
    ["tasks.next", '{"session_id":"s1","wait_seconds":9}', "left out"],
    ["sessions.unregister.holder", "{}", "left out"],
    ["$SRV.PING", "", "discovery"],
  ] as const) {
    it(`is ${expected} for ${subject} ${payload.slice(0, 40)}`, () => {
      assert.equal(codesOf(message(subject, payload)), expected);
    });
  }

  it("is dropped without a reply subject", () => {
    assert.equal(codesOf(message("tasks.create.new", "{}", { reply: "none" })), "dropped");
  });
});

describe("the check of levels", () => {
  const level = (
    heap: number,
    subscriptions: number,
  ): Parameters<typeof levelProblems>[0][number] => {
    return { heaps: [heap * MEBIBYTE], subscriptions: [subscriptions] };
  };

  it("accepts levels that come back", () => {
    assert.deepEqual(levelProblems([level(10, 91), level(30, 91), level(35, 91)]), []);
  });

  it("refuses memory or subscriptions that do not come back", () => {
    assert.match(
      levelProblems([level(10, 91), level(30, 91), level(60, 91)]).join(),
      /memory.*30720/,
    );
    assert.match(levelProblems([level(10, 91), level(10, 92)]).join(), /had 91 .* have 92/);
  });
});

describe("the check of facts", () => {
  it("raises an alarm for defects, and none for usual facts", () => {
    const counter = new FactCounter();
    counter.observe({ kind: "request_dropped", reason: "no_reply_subject", times: 1 });
    counter.observe({ kind: "write_conflict", taskId: "a" });
    assert.deepEqual(counter.counts, { requests: 0, dropped: 1, alarms: [] });
    counter.observe({ kind: "background_error", what: "error reply", cause: new Error("planted") });
    counter.observe({ kind: "request_dropped", reason: "malformed", times: 1 });
    counter.observe({ kind: "connection", state: "disconnected", server: "s" });
    assert.equal(counter.counts.alarms.length, 3);
  });
});

describe("the check of the buckets", () => {
  it("names the lines that are gone and those that are new", () => {
    assert.deepEqual(differences(["a", "b"], ["b", "c"]), ["- a", "+ c"]);
    assert.deepEqual(differences(["a", "b"], ["a", "b"]), []);
  });
});

describe("the messages of a seed", () => {
  const options = { seed: 5 };
  const arbitrary = messages({ maxPayload: MEBIBYTE });

  it("are the same each time, and others for another seed", () => {
    const texts = (seed: number): string[] =>
      messagesOfRound(arbitrary, 3, { ...options, seed }).map((one) => toBase64(one.message));
    assert.deepEqual(texts(5), texts(5));
    assert.notDeepEqual(texts(5), texts(6));
  });

  it("contain nothing that ends the connection", () => {
    for (const { message } of messagesOfRound(arbitrary, 0, options)) {
      assert.doesNotMatch(message.subject, /[ \t\r\n]|^$/);
      assert.ok(message.payload.length + (message.headers?.length ?? 0) <= MEBIBYTE);
    }
  });

  it("stay the same when they are printed and read again", () => {
    for (const { message } of messagesOfRound(arbitrary, 1, options).slice(0, ROUND / 10)) {
      assert.deepEqual(fromBase64(toBase64(message)), message);
    }
  });
});

describe("the options", () => {
  it("have defaults, and a random seed", () => {
    const { seed, ...rest } = parseOptions([]);
    assert.ok(Number.isSafeInteger(seed));
    assert.deepEqual(rest, {
      ...{ messages: 100_000, workers: 1, only: null, replay: null, secured: false },
    });
    assert.equal(parseOptions(["--seed", "7", "--only", "12"]).only, 12);
  });

  it("are refused with the cure if they make no sense", () => {
    for (const args of [["--messages", "many"], ["--workers", "0"], ["--only=-1"]]) {
      assert.throws(() => parseOptions(args), /--\w+ \S+: takes a whole number from [01] on/);
    }
  });
});
