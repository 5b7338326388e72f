/** The messages of a run, generated from a seed: to every operation, wrong in one way or in several. */
import fc from "fast-check";
import { type Operation, OPERATION_IDS, OPERATION_NAMES } from "../../src/protocol/operations.ts";
import { damaged, NOT_UTF8, RECORDED } from "./damage.ts";
import { anyJson, arrayText, ODD_STRINGS, weighted } from "./json-text.ts";
import { large } from "./large-messages.ts";
import type { FuzzMessage, ReplyTo } from "./message.ts";
import { asObject, defective, fittingFields, requestSchema, type Schema } from "./schema-bodies.ts";
import { PRINCIPALS, SESSION_NAMES, TASK_NAMES } from "./world.ts";

/** A subject of this length fits twice into the 4096 bytes that NATS accepts. */
const LONGEST_TWICE = 1_900;

const operations = fc.constantFrom(...OPERATION_NAMES);

/** Blocks of headers that are malformed, huge, a status of NATS, or mean something to JetStream. */
export const HEADERS: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...["NATS/1.0\r\n\r\n", "NATS/1.0 503\r\n\r\n", "NATS/1.0 503 No Responders\r\n\r\n"],
    ...["NATS/1.0 100 Idle Heartbeat\r\n\r\n", "NATS/1.0 408 Request Timeout\r\n\r\n"],
    ...["NATS/9.9 xx\r\nn o t: a header\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "\r\n\r\n", "x", "\0"],
    ...["NATS/1.0\r\n: no name\r\n\r\n", "NATS/1.0\r\nb\0ad: 1\r\n\r\n"],
    "NATS/1.0\r\nno colon\r\n\r\n",
    ...["NATS/1.0\r\na: b", "NATS/1.0\r\na: \r\n b\r\n\r\n", "\xff\xfe\x00\x01"],
  ),
  fc
    .array(
      fc.tuple(
        fc.constantFrom(
          ...["Nats-Expected-Last-Sequence", "Nats-Expected-Last-Subject-Sequence", "Nats-Rollup"],
          ...["KV-Operation", "Nats-Msg-Id", "Nats-TTL", "Nats-Marker-Reason"],
          ...["Nats-Expected-Stream", "Nats-Request-Info", "Nats-Schedule", "Nats-Incr"],
          ...["Nats-Service-Error-Code", "Nats-Service-Error", "Nats-Sequence", "Nats-Batch-Id"],
          ...["traceparent", "Status", "__proto__"],
        ),
        fc.constantFrom(
          ...["0", "1", "-1", "9".repeat(40), "sub", "all", "PURGE", "DEL", "500", "", " ", "\xff"],
          ...["KV_tasks", "1s", "MaxAge", "{", '{"acc":"A","svc":1}', "@at 2025-01-01T00:00:00Z"],
        ),
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((fields) => `NATS/1.0\r\n${fields.map(([k, v]) => `${k}: ${v}\r\n`).join("")}\r\n`),
  fc.integer({ min: 1, max: 500 }).map((count) => `NATS/1.0\r\n${"a: b\r\n".repeat(count)}\r\n`),
  fc.uint8Array({ minLength: 1, maxLength: 60 }).map((b) => Buffer.from(b).toString("latin1")),
);

const someHeaders = weighted<string | null>(
  [3, fc.constant(null)],
  [1, fc.option(HEADERS, { freq: 2 })],
);

const replies: fc.Arbitrary<ReplyTo> = weighted<ReplyTo>(
  [90, fc.constant("inbox")],
  [3, fc.constantFrom("star", "tail")],
  [3, fc.constant("none")],
  [2, fc.constant("own")],
  [2, fc.constantFrom("long", "nowhere")],
);

/** A token of a subject, as bytes. */
const token = fc.oneof(
  fc.constantFrom(...TASK_NAMES, ...SESSION_NAMES, "*", ">", "$KV.tasks.held", "a.*", "a.>", "x;y"),
  fc.constantFrom(...ODD_STRINGS).map((text) => Buffer.from(text).toString("latin1")),
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map((b) => Buffer.from(b).toString("latin1")),
  fc.integer({ min: 200, max: 3_000 }).map((length) => "a".repeat(length)),
  fc.integer({ min: 2, max: 300 }).map((count) => Array(count).fill("a").join(".")),
);

/** `violations.ts` tries what would end the connection. */
function sendable(text: string): string {
  return text.replaceAll(/[\t\n\r ]/g, "_");
}

/** The subject of the operation, with an id of a task or session if it accepts one. */
function plainSubject(operation: Operation): fc.Arbitrary<string> {
  const id = OPERATION_IDS[operation];
  if (id === "none") return fc.constant(operation);
  const names = operation.startsWith("sessions.") ? SESSION_NAMES : TASK_NAMES;
  const named = fc.constantFrom(...names).map((name) => `${operation}.${name}`);
  return id === "required" ? named : fc.oneof(named, fc.constant(operation));
}

const root = weighted(
  [5, fc.constant("")],
  [1, fc.constantFrom(...PRINCIPALS).map((name) => `agent.${name}.`)],
);

function subjectOf(operation: Operation): fc.Arbitrary<string> {
  return fc.tuple(root, plainSubject(operation)).map(([prefix, rest]) => prefix + rest);
}

const oddSubject = fc
  .oneof(
    fc.tuple(root, operations, token).map(([prefix, name, id]) => `${prefix}${name}.${id}`),
    fc.tuple(fc.constant("agent."), token, operations).map(([a, b, c]) => `${a}${b}.${c}.held`),
    fc.tuple(root, operations).map(([prefix, name]) => prefix + name),
    // Subjects of no operation: unknown names, empty tokens, upper case.
    fc.tuple(root, token).map(([prefix, name]) => `${prefix}tasks.${name}`),
    fc.tuple(operations, fc.constantFrom("..held", ".held.", ".", ".a..b")).map(([a, b]) => a + b),
    operations.map((name) => `${name.toUpperCase()}.held`),
    operations.map((name) => `agent..${name}.held`),
  )
  .map(sendable);

const discovery = fc
  .tuple(fc.constantFrom("PING", "INFO", "STATS"), fc.constantFrom("", ".coordinator"))
  .map(([verb, name]) => `$SRV.${verb}${name}`);

interface Content {
  readonly subject: string;
  readonly payload: Buffer;
}

/** Sends the payload to the operation. */
function toOperation(operation: Operation, payload: fc.Arbitrary<Buffer>): fc.Arbitrary<Content> {
  return fc.record({ subject: subjectOf(operation), payload });
}

function toAll(textFor: (schema: Schema) => fc.Arbitrary<string>): fc.Arbitrary<Content> {
  return fc.oneof(
    ...OPERATION_NAMES.map((name) =>
      toOperation(
        name,
        textFor(requestSchema(name)).map((text) => Buffer.from(text)),
      ),
    ),
  );
}

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  anyJson().map((text) => Buffer.from(text)),
  fc.array(anyJson(), { maxLength: 3 }).map((items) => Buffer.from(arrayText(items))),
  fc.constantFrom("", " ", "\n", "{}", "[]", "null", "{", "nul", "{}{}").map((t) => Buffer.from(t)),
);

/** Everything is valid except the bytes of one character. */
const notUtf8 = fc
  .tuple(
    fc.constantFrom<[string, string, string]>(
      ["tasks.list", '{"prefix":"', '"}'],
      ["tasks.claim.held", '{"session_id":"s1","capabilities":["', '"]}'],
      ["tasks.next", '{"session_id":"s1","request_id":"', '"}'],
    ),
    fc.constantFrom(...NOT_UTF8),
  )
  .map(([[subject, before, after], bytes]) => {
    const payload = [Buffer.from(before), Uint8Array.from(bytes), Buffer.from(after)];
    return { subject, payload: Buffer.concat(payload) };
  });

/**
 * As an agent with an account of its own sends them. On the way to the account of the workers, NATS replaces the
 * reply subject and adds a header. So only the usual reply subjects are left, and only headers that are
 * well-formed: NATS adds malformed ones to the body.
 */
export function messagesOf(agent: string, maxPayload: number): fc.Arbitrary<FuzzMessage> {
  return messages({ maxPayload }).map((message): FuzzMessage => {
    const { reply, headers } = message;
    return {
      ...message,
      agent,
      reply: reply === "none" ? "none" : "inbox",
      headers: headers !== null && WELL_FORMED.test(headers) ? headers : null,
    };
  });
}

const WELL_FORMED = /^NATS\/1\.0\r\n([\w-]+:[^\r\n]*\r\n)*\r\n$/;

export function messages(options: { readonly maxPayload: number }): fc.Arbitrary<FuzzMessage> {
  const from = (
    source: string,
    content: fc.Arbitrary<Content>,
    reply: fc.Arbitrary<FuzzMessage["reply"]> = replies,
    block: fc.Arbitrary<string | null> = someHeaders,
  ): fc.Arbitrary<FuzzMessage> =>
    fc
      .record({ content, reply, headers: block })
      .map(({ content: { subject, payload }, reply, headers }) => {
        const isTwiceTooLong = reply === "own" && subject.length > LONGEST_TWICE;
        return { source, subject, reply: isTwiceTooLong ? "inbox" : reply, headers, payload };
      });
  const wrong = toAll(defective);
  const right = toAll((schema) => fittingFields(schema).map(asObject));
  const bytes = damaged(operations).chain(([name, payload]) => {
    return toOperation(name, fc.constant(payload));
  });
  const noise = operations.chain((name) => toOperation(name, anyBytes));
  const recorded = fc.record({
    subject: oddSubject,
    payload: operations.map((name) => Buffer.from(RECORDED[name])),
  });
  const asked = fc.record({ subject: discovery, payload: anyBytes });
  // An answer to such a subject would be stored, and replace a record.
  const keys = ["tasks.held", "tasks.evil", "leases.held", "sessions.listener"];
  const intoBucket = fc.constantFrom(...keys).map((key) => ({ subject: `$KV.${key}` }));
  return weighted(
    [400, from("schema, defective", wrong)],
    [200, from("schema, fitting", right)],
    [220, from("recorded, damaged", bytes)],
    [80, from("any bytes", noise)],
    [80, from("odd subject", recorded)],
    [10, from("discovery", asked, fc.constant<ReplyTo>("inbox"))],
    [3, from("large", large(options.maxPayload), replies, fc.constant(null))],
    // The coordinator would store other characters than were sent.
    [5, from("invalid utf-8", notUtf8)],
    [20, from("reply into a bucket", right, intoBucket)],
  );
}
