/** Everyday requests that were damaged on the way: single bytes, and pieces of JSON. */
import fc from "fast-check";
import type { Operation } from "../../src/protocol/operations.ts";

/** One request of each operation, as the documentation shows it. */
export const RECORDED: Readonly<Record<Operation, string>> = {
  "tasks.create": `{"title":"Say hello","priority":1,"depends_on":["held"],"tags":["a","b"],"metadata":{"k":[1,2.5,null]},"payload":{"n":1}}`,
  "tasks.import": `{"session_id":"s1","tasks":[{"task_id":"held","title":"held"},{"task_id":"blocked","depends_on":["held"]}]}`,
  "tasks.claim": `{"session_id":"s1","ttl_seconds":300,"capabilities":["code","test"]}`,
  "tasks.next": `{"session_id":"s1","max":2,"tags":["x"],"prefix":"P0.","request_id":"r1"}`,
  "tasks.renew": `{"session_id":"s1","attempt":1,"ttl_seconds":60,"progress":{"percent":50}}`,
  "tasks.release": `{"session_id":"s1","attempt":1,"status":"complete","result":{"text":"é"}}`,
  "tasks.get": "{}",
  "tasks.list": `{"status":["available","claimed"],"claimed_by":"s1","tags":[],"limit":10,"cursor":"1:held"}`,
  "tasks.history": "{}",
  "tasks.changes": `{"since":3,"limit":100}`,
  "tasks.verify": `{"session_id":"s1","attempt":1}`,
  "tasks.update": `{"session_id":"s1","revision":3,"title":"Say goodbye","description":null}`,
  "tasks.cancel": `{"session_id":"s1","reason":"no longer needed","force":true}`,
  "tasks.requeue": `{"session_id":"s1","reason":"try again"}`,
  "tasks.stats": "{}",
  "sessions.register": `{"capabilities":["code"],"metadata":{"host":"é"},"ttl_seconds":300}`,
  "sessions.heartbeat": `{"claims":[{"task_id":"held","attempt":1}]}`,
  "sessions.list": `{"prefix":"s","limit":10}`,
  "sessions.unregister": "{}",
};

type Edit = (bytes: Buffer) => Buffer;

const position = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const splice =
  (at: number, remove: number, insert: Uint8Array): Edit =>
  (bytes) => {
    const i = Math.floor(at * (bytes.length + 1));
    return Buffer.concat([bytes.subarray(0, i), insert, bytes.subarray(i + remove)]);
  };

/** Bytes that are no UTF-8: alone, cut short, overlong, a surrogate, beyond the last character. */
export const NOT_UTF8 = [
  ...[[0xff], [0x80], [0xc3], [0xc0, 0xaf]],
  ...[
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ],
];
const PIECES = ['"', "{", "}", "[", "]", ",", ":", "\\", "\u0000", "\n", " ", "-", "1e999", "null"];
const DUPLICATES = [
  ...[`"session_id":"mallory",`, `"__proto__":{"session_id":"mallory"},`, `"tasks":[],`],
  ...[`"attempt":0,`, `"title":1,"title":"twice",`, `"ok":true,`],
];

const inserted = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Edit> =>
  fc.tuple(position, bytes).map(([at, insert]) => splice(at, 0, insert));
const removed = (length: fc.Arbitrary<number>): fc.Arbitrary<Edit> =>
  fc.tuple(position, length).map(([at, remove]) => splice(at, remove, new Uint8Array()));
const flipped = fc
  .tuple(position, fc.integer({ min: 0, max: 7 }))
  .map(([at, bit]): Edit => (bytes) => {
    const copy = Buffer.from(bytes);
    const i = Math.floor(at * copy.length);
    copy[i] = (copy[i] ?? 0) ^ (1 << bit);
    return copy;
  });

const edit: fc.Arbitrary<Edit> = fc.oneof(
  flipped,
  inserted(fc.uint8Array({ minLength: 1, maxLength: 4 })),
  inserted(fc.constantFrom(...NOT_UTF8).map((bytes) => Uint8Array.from(bytes))),
  inserted(fc.constantFrom(...PIECES).map((piece) => Buffer.from(piece))),
  removed(fc.integer({ min: 1, max: 8 })),
  removed(fc.constant(Infinity)),
  fc.constantFrom(...DUPLICATES).map((field): Edit => (bytes) => {
    return Buffer.from(bytes.toString("latin1").replace("{", `{${field}`), "latin1");
  }),
  fc.constantFrom("{}", " ", "\ufeff", ",", "\u0000").map((more): Edit => (bytes) => {
    return Buffer.concat([bytes, Buffer.from(more)]);
  }),
);

/** A valid request, and what the damage leaves of it. */
export function damaged(
  operation: fc.Arbitrary<Operation>,
): fc.Arbitrary<readonly [Operation, Buffer]> {
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  return fc.tuple(operation, edits, operation).map(([name, changes, other]) => {
    // Some requests go to an operation that they are not meant for.
    let bytes: Buffer = Buffer.from(changes.length === 4 ? RECORDED[other] : RECORDED[name]);
    for (const change of changes) bytes = change(bytes);
    return [name, bytes] as const;
  });
}
