/**
 * In a request, `null` means that a field is left out: programs that write every field of a class send
 * `null` for the options that they do not use. Such a `null` is dropped before the schema checks the
 * body. It stays where the field itself accepts `null` as a value, as `payload` and `progress` do.
 */
import { z } from "zod";

type Drop = (json: unknown) => void;

/** Deletes each `null` that means "left out" from a request's body, which must be parsed. */
export function nullDropper(schema: z.ZodType): Drop {
  return dropperOf(schema) ?? (() => undefined);
}

/** `null` if there is nothing to drop in a value of this schema. */
function dropperOf(schema: z.ZodType): Drop | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return dropperOf(schema.unwrap() as z.ZodType);
  }
  if (schema instanceof z.ZodArray) {
    const drop = dropperOf(schema.element as z.ZodType);
    if (drop === null) return null;
    return (json) => {
      if (Array.isArray(json)) json.forEach(drop);
    };
  }
  return schema instanceof z.ZodObject ? fieldsDropper(schema) : null;
}

function fieldsDropper({ shape }: z.ZodObject): Drop {
  const fields = Object.entries(shape) as [string, z.ZodType][];
  const droppable = new Set(
    fields.filter(([, field]) => !acceptsNull(field)).map(([name]) => name),
  );
  const inner = new Map(
    fields.flatMap(([name, field]) => {
      const drop = dropperOf(field);
      return drop === null ? [] : [[name, drop] as const];
    }),
  );
  return (json) => {
    if (typeof json !== "object" || json === null) return;
    const body = json as Record<string, unknown>;
    for (const name in body) {
      if (body[name] !== null) inner.get(name)?.(body[name]);
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the names are those of a schema
      else if (droppable.has(name)) delete body[name];
    }
  };
}

function acceptsNull(schema: z.ZodType): boolean {
  return schema.safeParse(null).success;
}

/** Allows `null` for each option in the JSON Schema of a request, because `nullDropper` accepts it. */
export function allowNullOptions(schema: z.core.JSONSchema.BaseSchema): void {
  const { properties = {}, required = [] } = schema;
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property === "object" && !required.includes(name)) allowNull(property);
  }
}

function allowNull(schema: z.core.JSONSchema.BaseSchema): void {
  const { type, anyOf, enum: values } = schema;
  if (anyOf !== undefined) {
    if (!anyOf.some((choice) => choice.type === "null")) anyOf.push({ type: "null" });
  } else if (type !== undefined) {
    // JSON Schema allows a list of types, but zod's type for it does not.
    schema.type = [type, "null"] as never;
    values?.push(null);
  }
}
