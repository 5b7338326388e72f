/** Checks the options of callers before they are used: a misspelt option must not be ignored. */
import { z } from "zod";
import { invalidInput } from "./task-error.ts";

/** A schema for each option of `T`. The compiler refuses a shape that lacks one. */
type OptionShape<T> = { readonly [K in keyof T & string]-?: z.ZodType<T[K] | undefined> };

/** The schema of a set of options; `shape` can be spread into a larger set. */
export type OptionSchema<T> = z.ZodType<T> & { readonly shape: OptionShape<T> };

/** Each of the options can be left out, or be `undefined`. */
export function optionSchema<T>(shape: OptionShape<T>): OptionSchema<T> {
  return z.strictObject<z.core.$ZodLooseShape>(shape).partial() as unknown as OptionSchema<T>;
}

/** @throws TaskError `invalid_request` that names the option */
export function checkOptions<T>(options: NoInfer<T>, schema: z.ZodType<T>): void {
  const { error } = schema.safeParse(options, { error: describeProblem });
  const [issue] = error?.issues ?? [];
  if (issue === undefined) return;
  const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const field = [...issue.path, ...unknown].join(".");
  throw invalidInput(field === "" ? "options" : field, issue.message);
}

/** The message for a problem whose schema has no message of its own. */
function describeProblem(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return `must be ${TYPES[issue.expected] ?? issue.expected}`;
  if (issue.code !== "unrecognized_keys" || !(issue.inst instanceof z.ZodObject)) return undefined;
  return `is not an option; the options are ${Object.keys(issue.inst.shape).join(", ")}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  object: "an object",
};

/** Infinity is a number here, but not for `z.number()`. */
export const number = z.custom<number>(
  (given) => typeof given === "number" && !Number.isNaN(given),
  "must be a number",
);
/** Of milliseconds, perhaps infinite. */
export const duration = z.custom<number>(
  (given) => typeof given === "number" && given >= 0,
  "must be a number of milliseconds, at least 0",
);
/** Not `z.array`: the error must name the option, and not an entry of its list. */
export const strings = z.custom<readonly string[]>(
  (given) => Array.isArray(given) && given.every((entry) => typeof entry === "string"),
  "must be a list of strings",
);

/** An object that is used as it is given. Only the compiler checks its type. */
export function objectOf<T extends object>(): z.ZodType<T> {
  return z.custom<T>(
    (given) => typeof given === "object" && given !== null && !Array.isArray(given),
    "must be an object",
  );
}
