/** Messages of up to the largest payload of NATS. */
import fc from "fast-check";
import { OPERATION_NAMES } from "../../src/protocol/operations.ts";
import { arrayText, objectText } from "./json-text.ts";
import { RECORDED } from "./damage.ts";

interface Content {
  readonly subject: string;
  readonly payload: Buffer;
}

/** @param most bytes of the payload; there are no headers, which would count as well */
export function large(most: number): fc.Arbitrary<Content> {
  const size = fc.oneof(fc.constant(most), fc.integer({ min: 1_000, max: most }));
  const fill = (unit: string, bytes: number): string =>
    unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)));
  const item = fc.constantFrom("1", "null", '""', "{}", '"a"', "[[]]", "1e20", '{"task_id":"a"}');
  const list = fc.tuple(size, item).map(([bytes, one]) => {
    const count = Math.floor((bytes - 100) / (one.length + 1));
    return arrayText(Array<string>(count).fill(one));
  });
  const body = fc.oneof(
    // As many unknown fields as fit, with different names or with the same one.
    size.map((bytes) => {
      const count = Math.floor((bytes - 100) / 12);
      return `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(",")}}`;
    }),
    size.map((bytes) => `{${fill('"a":1,', bytes - 10)}"a":1}`),
    fc.tuple(size, fc.constantFrom("[", '{"a":', '"', "\\", "é", "\0")).map(([bytes, unit]) => {
      return fill(unit, bytes);
    }),
    fc
      .tuple(fc.constantFrom("capabilities", "tags", "claims", "tasks", "depends_on"), list)
      .map(([name, items]) => `{"session_id":"s1","${name}":${items}}`),
    fc
      .tuple(fc.constantFrom("progress", "result", "payload", "metadata"), list)
      .map(
        ([name, items]) => `{"session_id":"s1","attempt":99,"status":"failed","${name}":${items}}`,
      ),
    fc
      .tuple(fc.constantFrom("title", "prefix", "cursor", "reason", "request_id"), size)
      .map(([name, bytes]) => `{"session_id":"s1","${name}":"${"a".repeat(bytes - 100)}"}`),
    fc.integer({ min: 2, max: 400 }).map((length) => objectText([["tasks", cycle(length)]])),
  );
  const subject = fc.constantFrom(...OPERATION_NAMES).map((name) => `${name}.held`);
  const importing = fc.constantFrom("tasks.import", "tasks.next", "tasks.list", "sessions.list");
  return fc.oneof(
    fc.record({
      subject: fc.oneof(subject, importing),
      payload: body.map((text) => Buffer.from(text).subarray(0, most)),
    }),
    // Padded with white space, which JSON allows.
    fc.tuple(fc.constantFrom(...OPERATION_NAMES), size).map(([name, bytes]) => {
      const padded = Buffer.from(RECORDED[name].padEnd(bytes));
      return { subject: `${name}.nothing`, payload: padded.subarray(0, bytes) };
    }),
  );
}

/** Each task depends on the next one, and the last task on the first. */
function cycle(length: number): string {
  const id = (i: number): string => `cycle-${i % length}`;
  const tasks = Array.from({ length }, (_, i) => {
    return `{"task_id":"${id(i)}","depends_on":["${id(i + 1)}"]}`;
  });
  return arrayText(tasks);
}
