/** The fields of requests, replies and records as docs/protocol.md lists them, from the schemas. */
import { z } from "zod";
import { type Operation, OPERATIONS } from "../../src/protocol/operations.ts";
import { definition } from "../../src/protocol/definition-record.ts";
import { importedTask } from "../../src/protocol/requests.ts";
import { sentRecord } from "../../src/protocol/task-record.ts";
import { DEFINITION_DEFAULTS, TASK_STATUSES } from "../../src/task/task.ts";

export interface Field {
  readonly name: string;
  readonly type: string;
  /** Of requests: `required`, the default, or nothing. */
  readonly default: string;
}

/** Stands for all fields of a definition, which are listed once. */
export const DEFINITION_ROW = "fields of a definition";

const { shape: next } = OPERATIONS["tasks.next"].reply;
const { shape: release } = OPERATIONS["tasks.release"].request;
const { shape: released } = OPERATIONS["tasks.release"].reply;
const { shape: heartbeat } = OPERATIONS["sessions.heartbeat"].reply;

/** What consists of several fields and has a table of its own. */
export const SHAPES = {
  "Task record": sentRecord,
  Claim: next.claims.element,
  Next: release.next.unwrap(),
  "Next claims": released.next.unwrap(),
  Lease: next.claims.element.shape.lease,
  Session: heartbeat.session,
} as const satisfies Record<string, z.ZodObject>;

export function requestFields(operation: Operation): Field[] {
  const { shape } = OPERATIONS[operation].request;
  const fields = fieldsOf(shape);
  const isDefinition = ({ name }: Field): boolean => name in definition;
  if (!Object.keys(definition).every((name) => name in shape)) return fields;
  const row = { name: DEFINITION_ROW, type: "", default: "" };
  return [...fields.filter((field) => !isDefinition(field)), row];
}

/** Of a task of an import, without its id and its definition. */
export function importedFields(): Field[] {
  return fieldsOf(importedTask.shape).filter(
    ({ name }) => name !== "task_id" && !(name in definition),
  );
}

/** Without `ok`, which every reply has. */
export function replyFields(operation: Operation): Field[] {
  return fieldsOf(OPERATIONS[operation].reply.shape).filter(({ name }) => name !== "ok");
}

export function definitionFields(): Field[] {
  const defaults = new Map<string, unknown>(
    Object.entries(DEFINITION_DEFAULTS).map(([name, value]) => [snakeCase(name), value]),
  );
  return fieldsOf(definition).map((field) => ({
    ...field,
    default: JSON.stringify(defaults.get(field.name)),
  }));
}

export function shapeFields(shape: keyof typeof SHAPES): Field[] {
  return fieldsOf(SHAPES[shape].shape);
}

function plural(type: string): string {
  return type.endsWith("s") ? `${type}es` : `${type}s`;
}

function fieldsOf(shape: Readonly<Record<string, z.ZodType>>): Field[] {
  return Object.entries(shape).map(([name, schema]) => {
    const given = schema instanceof z.ZodDefault ? JSON.stringify(schema.def.defaultValue) : "";
    const isRequired = !schema.safeParse(undefined).success;
    return { name, type: typeOf(schema), default: isRequired ? "required" : given };
  });
}

function typeOf(schema: unknown): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return typeOf(schema.unwrap());
  }
  if (schema instanceof z.ZodNullable) return `${typeOf(schema.unwrap())} or null`;
  if (schema instanceof z.ZodUnion) return schema.options.map(typeOf).join(" or ");
  if (schema instanceof z.ZodArray) return `list of ${plural(typeOf(schema.element))}`;
  if (schema instanceof z.ZodEnum) {
    const { options } = schema;
    return options.length === TASK_STATUSES.length ? "status" : options.join(", ");
  }
  if (schema instanceof z.ZodISODateTime) return "time";
  if (schema instanceof z.ZodString) return "string";
  if (schema instanceof z.ZodNumber) return schema.format === "safeint" ? "integer" : "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodUnknown) return "any JSON";
  if (schema instanceof z.ZodObject) return nameOf(schema);
  return "object";
}

/** Shapes are told apart by their fields: replies are built from them in several ways. */
function nameOf(schema: z.ZodObject): string {
  const fields = (object: z.ZodObject): string => Object.keys(object.shape).join();
  const found = Object.entries(SHAPES).find(([, shape]) => fields(shape) === fields(schema));
  return found === undefined ? "object" : found[0].toLowerCase();
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
