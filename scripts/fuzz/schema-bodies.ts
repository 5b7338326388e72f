/** Bodies generated from the JSON Schemas of the operations: valid ones, and valid ones with defects. */
import fc from "fast-check";
import { type Operation, OPERATION_NAMES, schemasOf } from "../../src/protocol/operations.ts";
import { anyJson, anyString, arrayText, objectText, quoted, storableJson } from "./json-text.ts";
import { LOST_NUMBERS, LOST_STRINGS, ODD_NAMES, ODD_NUMBERS } from "./json-text.ts";
import { SESSION_NAMES, TASK_NAMES } from "./world.ts";

/** The part of JSON Schema that the operations use. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly description?: string;
}

/** The fields of an object, each as JSON. */
export type Fields = Readonly<Record<string, string>>;

const REQUEST_SCHEMAS = new Map<Operation, Schema>(
  OPERATION_NAMES.map((name) => [name, schemasOf(name).request]),
);

export function requestSchema(operation: Operation): Schema {
  return REQUEST_SCHEMAS.get(operation) ?? {};
}

/** Longer waits would hold up the run. Numbers beyond the limits try the limits of a wait. */
const SHORT_WAIT_SECONDS = 0.05;
const MANY = 3;
const TIMES = ["2020-02-29T12:00:00Z", "2026-01-31T09:00:00.5+02:00", "9999-12-31T23:59:59.999Z"];

/** JSON that fits the schema. @param name of the field, from which follows the kind of text */
export function fitting(schema: Schema, name = ""): fc.Arbitrary<string> {
  if (schema.anyOf !== undefined) {
    return fc.oneof(...schema.anyOf.map((choice) => fitting(choice, name)));
  }
  if (schema.enum !== undefined) {
    return fc.constantFrom(...schema.enum.map((value) => JSON.stringify(value)));
  }
  const types = [schema.type ?? "any"].flat();
  return fc.oneof(...types.map((type) => ofType(type, schema, name)));
}

function ofType(type: string, schema: Schema, name: string): fc.Arbitrary<string> {
  switch (type) {
    case "null":
      return fc.constant("null");
    case "boolean":
      return fc.constantFrom("true", "false");
    case "integer": {
      const { minimum: min = 0, maximum: max = 1_000 } = schema;
      return fc.oneof(fc.constantFrom(min, max), fc.maxSafeNat()).map((n) => {
        return String(Math.min(max, Math.max(min, n)));
      });
    }
    case "number":
      return fc.constantFrom("0", "0.0", "1e-3", String(SHORT_WAIT_SECONDS));
    case "string":
      return text(schema, name).map(quoted);
    case "array": {
      const minLength = schema.minItems ?? 0;
      const maxLength = Math.min(schema.maxItems ?? MANY, MANY);
      return fc.array(fitting(schema.items ?? {}, name), { minLength, maxLength }).map(arrayText);
    }
    case "object":
      if (schema.properties !== undefined) return fittingFields(schema).map(asObject);
      return fc
        .dictionary(fc.oneof(fc.constantFrom(...ODD_NAMES), fc.string()), storableJson(), {
          maxKeys: 3,
        })
        .map(asObject);
    default:
      return storableJson();
  }
}

function text(schema: Schema, name: string): fc.Arbitrary<string> {
  const { minLength, maxLength, description, format } = schema;
  if (format === "date-time") return fc.constantFrom(...TIMES);
  if (description === "Task id" || name === "depends_on") return fc.constantFrom(...TASK_NAMES);
  if (description === "Session id") return fc.constantFrom(...SESSION_NAMES);
  const limit = maxLength ?? Infinity;
  return anyString()
    .filter((value) => value.length <= limit)
    .map((value) => (value === "" && (minLength ?? 0) > 0 ? "x" : value));
}

/** All required fields, and some of the others. */
export function fittingFields(schema: Schema): fc.Arbitrary<Fields> {
  const { properties = {}, required = [] } = schema;
  const fields = Object.entries(properties).map(
    ([name, property]) => [name, fitting(property, name)] as const,
  );
  return fc.record(Object.fromEntries(fields), {
    requiredKeys: [...required],
  });
}

/** Keeps the order of the fields. */
export function asObject(fields: Fields): string {
  return objectText(Object.entries(fields));
}

/** A body with one to three defects. By chance, it may have none. */
export function defective(schema: Schema): fc.Arbitrary<string> {
  const { properties = {} } = schema;
  const names = Object.keys(properties);
  const name = fc.constantFrom(...names, ...ODD_NAMES, ...LOST_STRINGS);
  const anyName = fc.oneof(fc.constantFrom(...ODD_NAMES), fc.string());
  const change = (
    kind: "replace" | "remove" | "repeat",
    name: fc.Arbitrary<string>,
    value = anyJson(),
  ) => fc.record({ kind: fc.constant(kind), name, value });
  const edit = fc.oneof(
    ...[change("replace", name), change("remove", name), change("repeat", name)],
    change("replace", anyName),
    ...names.map((one) => change("replace", fc.constant(one), beyond(properties[one] ?? {}, one))),
  );
  return fc
    .tuple(fittingFields(schema), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([fields, edits]) => {
      let entries = Object.entries(fields);
      for (const { kind, name, value } of edits) {
        if (kind !== "repeat") entries = entries.filter(([one]) => one !== name);
        if (kind !== "remove") entries.push([name, value]);
      }
      return objectText(entries);
    });
}

/** Just beyond the limits of the schema of the field, or nested one level too deep or too shallow. */
function beyond(schema: Schema, name: string): fc.Arbitrary<string> {
  const values: fc.Arbitrary<string>[] = [
    fc.constantFrom(...ODD_NUMBERS, ...LOST_NUMBERS),
    fitting(schema, name).map((value) => `[${value}]`),
    fitting(schema, name).map((value) => `{"a":${value}}`),
    anyString().map(quoted),
  ];
  const { minimum, maximum, maxLength, maxItems, items } = schema;
  if (minimum !== undefined) values.push(fc.constant(String(minimum - 1)));
  if (maximum !== undefined) values.push(fc.constant(String(maximum + 1)));
  if (maxLength !== undefined) values.push(fc.constant(quoted("x".repeat(maxLength + 1))));
  if (items === undefined) return fc.oneof(...values);
  values.push(fc.array(anyJson(), { minLength: 1, maxLength: 5 }).map(arrayText));
  values.push(defective(items).map((value) => `[${value}]`));
  if (maxItems !== undefined && maxItems <= 1_000) {
    const many = fitting(items, name).map((value) => arrayText(Array(maxItems + 1).fill(value)));
    values.push(many);
  }
  return fc.oneof(...values);
}
