import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { z } from "zod";
import { loadConfig } from "../../src/config.ts";
import * as limits from "../../src/protocol/fields.ts";
import { MAX_JSON_DEPTH } from "../../src/protocol/storable-json.ts";
import { OPERATION_NAMES, OPERATIONS, PROTOCOL_VERSION } from "../../src/protocol/operations.ts";
import { MAX_ID_LENGTH } from "../../src/protocol/subjects.ts";
import { headings, read, type Row, section, table } from "../support/markdown.ts";
import {
  definitionFields,
  importedFields,
  type Field,
  replyFields,
  requestFields,
  shapeFields,
  SHAPES,
} from "./operation-tables.ts";

const DOCUMENT = read("docs/protocol.md");

describe("docs/protocol.md", () => {
  it("has a section for every operation, and for nothing else", () => {
    const operations = headings(section(DOCUMENT, "Operations"));
    assert.deepEqual(operations, OPERATION_NAMES);
  });

  for (const operation of OPERATION_NAMES) {
    it(`lists the fields of ${operation}`, () => {
      const text = section(DOCUMENT, operation);
      const fields = requestFields(operation);
      if (fields.length === 0) assert.match(text, /^The request has no fields\.$/m);
      else assert.deepEqual(table(text, "Request").map(asField("Request")), fields);
      assert.deepEqual(
        table(text, "Reply").map(asField("Reply")),
        replyFields(operation).map(withoutDefault),
      );
    });

    it(`says what ${operation} is for, and who may ask for it`, () => {
      const text = section(DOCUMENT, operation);
      const definition = OPERATIONS[operation];
      assert.ok(text.includes(definition.summary));
      const isForOperators = "operatorsOnly" in definition;
      assert.equal(text.includes("For operators only."), isForOperators);
    });
  }

  it("lists the fields that an imported task has in addition to its definition", () => {
    const rows = table(section(DOCUMENT, "tasks.import"), "Task");
    assert.deepEqual(rows.map(asField("Task")), importedFields());
  });

  it("lists the fields of a definition with their defaults", () => {
    const rows = table(section(DOCUMENT, "Definition"), "Field");
    assert.deepEqual(rows.map(asField("Field")), definitionFields());
  });

  it("names every field in which null is a value", () => {
    const paragraph = section(DOCUMENT, "Requests and replies")
      .split("\n")
      .find((line) => line.startsWith("**Null means absent.**"));
    const accepting = OPERATION_NAMES.flatMap((operation) =>
      Object.entries<z.ZodType>(OPERATIONS[operation].request.shape)
        .filter(([, field]) => field.safeParse(null).success)
        .map(([name]) => name),
    );
    assert.ok(accepting.includes("payload"));
    const missing = accepting.filter((name) => paragraph?.includes(name) !== true);
    assert.deepEqual(missing, []);
  });

  for (const shape of Object.keys(SHAPES) as (keyof typeof SHAPES)[]) {
    it(`lists the fields of a ${shape.toLowerCase()}`, () => {
      const rows = table(section(DOCUMENT, shape), "Field");
      assert.deepEqual(rows.map(asField("Field")), shapeFields(shape).map(withoutDefault));
    });
  }

  it("explains every field", () => {
    for (const operation of OPERATION_NAMES) {
      const text = section(DOCUMENT, operation);
      const rows = table(text, "Reply");
      const request = requestFields(operation).length === 0 ? [] : table(text, "Request");
      for (const row of [...rows, ...request]) assert.match(row.Meaning ?? "", /\w+.*\.$/);
    }
  });

  it("says of every operation what becomes of it when it is asked again", () => {
    const rows = table(section(DOCUMENT, "Retries"), "Operation");
    const named = rows.flatMap(({ Operation = "" }) => Operation.split(", "));
    assert.deepEqual(named.sort(), [...OPERATION_NAMES].sort());
  });

  it("has the limits that hold", () => {
    const rows = table(section(DOCUMENT, "Limits"), "Limit");
    const config = loadConfig({ env: {} });
    const held: Record<string, string> = {
      "Length of an id": `${MAX_ID_LENGTH} characters`,
      "Depth of a JSON body": `${MAX_JSON_DEPTH} levels`,
      "Task record": `${config.maxRecordBytes} bytes, setting max_record_bytes`,
      "Lease and session": `${limits.MIN_TTL_SECONDS} to ${limits.MAX_TTL_SECONDS} seconds`,
      Progress: `${limits.MAX_PROGRESS_BYTES} bytes of JSON`,
      wait_seconds: String(limits.MAX_WAIT_SECONDS),
      "max of tasks.next": String(limits.MAX_CLAIMS),
      "limit of lists": String(limits.MAX_PAGE),
      "Requests in flight": `${config.limits.inFlight} for each worker, setting limits.in_flight`,
      "Requests in flight of a principal": `${config.limits.inFlightPerPrincipal} for each worker, setting limits.in_flight_per_principal`,
      "Requests of a principal that wait for their turn": `${config.limits.queuedPerPrincipal} for each worker, setting limits.queued_per_principal`,
      "Requests per second of a principal": `${config.limits.requestsPerSecond} for each worker, setting limits.requests_per_second`,
      "Bytes of requests per second of a principal": `${config.limits.requestBytesPerSecond} for each worker, setting limits.request_bytes_per_second`,
      "Requests that wait": `${config.limits.waiting} for each worker, setting limits.waiting`,
      "Those of a principal": `${config.limits.waitingPerPrincipal} for each worker, setting limits.waiting_per_principal`,
      "Those of a session": `${config.limits.waitingPerSession} for each worker, setting limits.waiting_per_session`,
      "Claims of an agent": `${config.limits.claimsPerPrincipal}, setting limits.claims_per_principal`,
      "Claims of a session": `${config.limits.claimsPerSession}, setting limits.claims_per_session`,
      "Filter of tasks.next": `${config.limits.filterBytes} bytes, setting limits.filter_bytes`,
      "Request or reply": "max_payload of the NATS server, 1 MiB by default",
    };
    const shown = Object.fromEntries(rows.map(({ Limit = "", Value = "" }) => [Limit, Value]));
    assert.deepEqual(shown, held);
  });

  it("names the version of the protocol", () => {
    assert.ok(DOCUMENT.includes(`The version of the protocol is ${PROTOCOL_VERSION}.`));
  });
});

function asField(firstColumn: string): (row: Row) => Field {
  return (row) => ({
    name: row[firstColumn] ?? "",
    type: row.Type ?? "",
    default: row.Default ?? "",
  });
}

/** Replies and records show no defaults. */
function withoutDefault(field: Field): Field {
  return { ...field, default: "" };
}
