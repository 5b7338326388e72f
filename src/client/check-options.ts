/** Checks the options of callers before they are used: a misspelt one must not be ignored. */
import { invalidInput } from "./task-error.ts";

/** `duration`: milliseconds, at least 0, perhaps infinite. */
export type OptionType =
  "string" | "strings" | "number" | "duration" | "boolean" | "function" | "object" | "any";

/** The options that there are, by name. */
export type OptionTypes<T> = Readonly<Record<keyof T & string, OptionType>>;

/**
 * @param path to the options in messages, such as `config.`
 * @throws TaskError `invalid_request` that names the option
 */
export function checkOptions<T extends object>(
  options: T,
  types: OptionTypes<Required<T>>,
  path = "",
): void {
  if (!isObject(options)) {
    throw invalidInput(path === "" ? "options" : path.slice(0, -1), "must be an object");
  }
  const known: Readonly<Record<string, OptionType>> = types;
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const type = Object.hasOwn(known, name) ? known[name] : undefined;
    if (type === undefined) {
      throw invalidInput(path + name, `is no option; there are ${Object.keys(known).join(", ")}`);
    }
    if (value !== undefined && !CHECKS[type](value)) {
      throw invalidInput(path + name, `must be ${WORDS[type]}`);
    }
  }
}

const CHECKS: Readonly<Record<OptionType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  strings: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  number: (value) => typeof value === "number" && !Number.isNaN(value),
  duration: (value) => typeof value === "number" && value >= 0,
  boolean: (value) => typeof value === "boolean",
  function: (value) => typeof value === "function",
  object: isObject,
  any: () => true,
};

const WORDS: Readonly<Record<OptionType, string>> = {
  string: "a string",
  strings: "a list of strings",
  number: "a number",
  duration: "a number of milliseconds, at least 0",
  boolean: "true or false",
  function: "a function",
  object: "an object",
  any: "anything",
};

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
