/**
 * The arguments of a tool: one schema for the check and for what the client is told. The description of all
 * tools stays in the context of a model for the whole session, so it has no word more than the model needs.
 */
import { z } from "zod";
import { shortText } from "./task-view.ts";
import { ToolError } from "./tool-error.ts";

const MAX_NAME = 100;

/** As a tool lists its arguments: JSON Schema. */
export type ArgumentSchema = Readonly<Record<string, unknown>>;

/** @throws ToolError that names every argument that is wrong, and those that the tool knows */
export function parseArguments<T>(schema: z.ZodType<T>, given: unknown): T {
  const shape: Readonly<Record<string, z.core.$ZodType>> =
    schema instanceof z.ZodObject ? schema.shape : {};
  const parsed = schema.safeParse(withoutEmpty(given ?? {}, shape));
  if (parsed.success) return parsed.data;
  const known = Object.keys(shape);
  const problems = parsed.error.issues.map((issue) => describe(issue, known)).join("; ");
  throw new ToolError(
    "invalid_request",
    problems,
    "Correct the arguments and call the tool again.",
  );
}

/** Some models give each argument that they need not give an empty text, or null. */
function withoutEmpty(given: unknown, shape: Readonly<Record<string, z.core.$ZodType>>): unknown {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return given;
  const kept = Object.entries(given).filter(
    ([name, value]) => !(shape[name] instanceof z.ZodOptional && (value === "" || value === null)),
  );
  return Object.fromEntries(kept);
}

function describe(issue: z.core.$ZodIssue, known: readonly string[]): string {
  if (issue.code === "unrecognized_keys") {
    const wrong = issue.keys.map((key) => shortText(key, MAX_NAME)).join(", ");
    return `there is no argument ${wrong}; there are ${known.join(", ")}`;
  }
  const path = issue.path.map(String).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

/** The JSON Schema, without what tells a model nothing: the dialect, and that other arguments are refused. */
export function toArgumentSchema(schema: z.ZodType): ArgumentSchema {
  return withoutNoise(z.toJSONSchema(schema, { io: "input" })) as ArgumentSchema;
}

const NOISE: ReadonlySet<string> = new Set(["$schema", "additionalProperties", "default"]);

function withoutNoise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNoise);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([name, inner]) => !NOISE.has(name) && !isSafeInteger(name, inner),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNoise(inner)]));
}

/** A bound that zod gives each integer. */
function isSafeInteger(name: string, value: unknown): boolean {
  return (
    (name === "minimum" || name === "maximum") &&
    typeof value === "number" &&
    Math.abs(value) === Number.MAX_SAFE_INTEGER
  );
}
