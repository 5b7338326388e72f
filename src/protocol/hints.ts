/** What an error about a body suggests: an example, the known fields, the field probably meant. */
import { z } from "zod";
import { nearest } from "./nearest.ts";
import { type Operation, OPERATIONS } from "./operations.ts";

/** What to send instead of a body that is not an object. */
export function bodyHint(operation: Operation, isArray: boolean): string {
  const list = isArray ? listField(operation) : undefined;
  if (list !== undefined) return `{"${list}":[...]}`;
  const example = JSON.stringify(OPERATIONS[operation].example);
  return example === "{}" ? "{}, or nothing at all" : `a JSON object such as ${example}`;
}

/** The field that the elements of a bare array were probably meant for. */
function listField(operation: Operation): string | undefined {
  const fields = Object.entries<z.core.$ZodType>(OPERATIONS[operation].request.shape);
  return fields.find(([, schema]) => {
    const list = unwrapped(schema);
    return list instanceof z.ZodArray && list.element instanceof z.ZodObject;
  })?.[0];
}

/** The fields that are known at the place of an unknown one, and which of them was probably meant. */
export function fieldHint(operation: Operation, at: readonly PropertyKey[], name: string): string {
  const schema = schemaAt(OPERATIONS[operation].request, at);
  if (!(schema instanceof z.ZodObject)) return "";
  const known = Object.keys(schema.shape);
  const meant = nearest(name, known);
  const guess = meant === undefined ? "" : ` (did you mean ${meant}?)`;
  const where = at.length === 0 ? operation : at.join(".");
  return `${guess}; ${where} knows ${known.length === 0 ? "no fields" : known.join(", ")}`;
}

function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | null {
  let found = unwrapped(schema);
  for (const key of path) {
    if (found instanceof z.ZodArray) found = unwrapped(found.element);
    else if (found instanceof z.ZodObject) {
      const field = (found.shape as Record<PropertyKey, z.core.$ZodType>)[key];
      if (field === undefined) return null;
      found = unwrapped(field);
    } else return null;
  }
  return found;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodNullable
  ) {
    inner = inner.unwrap();
  }
  return inner;
}
