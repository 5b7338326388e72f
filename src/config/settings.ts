/** The schema as a list: each setting with its name, variable, option, default and meaning. */
import { z } from "zod";
import { configSchema } from "./schema.ts";

export interface Setting {
  /** Where it is in the YAML file, below `coordinator`: `nats.servers`. */
  readonly name: string;
  /** Environment variable. */
  readonly env: string;
  /** Option of the command line without its dashes, if it has one: `http-port`. */
  readonly flag: string | undefined;
  /** `null`: not set. */
  readonly default: unknown;
  readonly description: string;
  /** Whether its value must not be shown. */
  readonly secret: boolean;
  /** How its text is read from the environment and the command line. */
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
    throw new TypeError(`${here.join(".")} is no schema`);
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
