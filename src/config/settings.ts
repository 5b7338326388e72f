/** The schema as a list of settings, each with its name, variable, option, default and meaning. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

export interface Setting {
  /** Its place in the YAML file below `coordinator`, such as `nats.servers`. */
  readonly name: string;
  /** Environment variable. */
  readonly env: string;
  /** Option of the command line without dashes, such as `http-port`, if it has one. */
  readonly flag: string | undefined;
  /** `null`: not set. */
  readonly default: unknown;
  readonly description: string;
  /** Whether the value must not be shown. */
  readonly secret: boolean;
  /** How a text from the environment or the command line is read. */
  readonly kind: "text" | "number" | "boolean" | "list";
}

const PREFIX = "IF_COORDINATOR_";

/** All settings, in the order of the schema. */
export function settings(): Setting[] {
  return collect(configSchema.shape, []);
}

function collect(shape: Readonly<Record<string, unknown>>, path: readonly string[]): Setting[] {
  return Object.entries(shape).flatMap(([key, schema]) => {
    const here = [...path, key];
    if (schema instanceof z.ZodObject) return collect(schema.shape, here);
    if (schema instanceof z.ZodType) return [describe(schema, here)];
    throw new TypeError(`${here.join(".")} is not a schema`);
  });
}

function describe(schema: z.ZodType, path: readonly string[]): Setting {
  const meta = schema.meta() ?? {};
  return {
    name: path.join("."),
    env: asText(meta.env) ?? PREFIX + path.join("_").toUpperCase(),
    flag: asText(meta.flag),
    default: schema instanceof z.ZodDefault ? schema.def.defaultValue : null,
    description: meta.description ?? "",
    secret: meta.secret === true,
    kind: kindOf(schema),
  };
}

function kindOf(schema: unknown): Setting["kind"] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return kindOf(schema.unwrap());
  }
  if (schema instanceof z.ZodNumber) return "number";
  if (schema instanceof z.ZodBoolean) return "boolean";
  if (schema instanceof z.ZodArray) return "list";
  return "text";
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
