/** Values of callers as JSON, or an error that names what would be stored as something else. */
import { describeInexact, type InexactPart, inexactPart } from "../protocol/storable-json.ts";
import { invalidInput, TaskError } from "./task-error.ts";

/**
 * Parts that are `undefined` or functions are left out, as JSON.stringify does.
 *
 * @param name of the value in errors
 * @throws TaskError `invalid_request` for what JSON cannot express: a BigInt, NaN, a cycle, half of a
 *   surrogate pair, and a value that is `undefined` or a function itself
 */
export function toJsonText(
  name: string,
  value: unknown,
  stringify: (value: unknown) => string | undefined = JSON.stringify,
): string {
  const { text, problem } = stringified(value, stringify);
  if (problem === null) return text;
  throw invalidInput(name, `must be something that JSON can express${problem}`);
}

/** The body of a request; errors name the field. @throws TaskError `invalid_request` */
export function toRequestText(body: object): string {
  const { text, problem, part } = stringified(body, JSON.stringify);
  if (problem === null) return text;
  if (part === null)
    throw invalidInput("request", `must be something that JSON can express${problem}`);
  throw new TaskError("invalid_request", describeInexact(part), { details: { field: part.path } });
}

type Stringified =
  | { readonly text: string; readonly problem: null; readonly part?: undefined }
  | { readonly text?: undefined; readonly problem: string; readonly part: InexactPart | null };

function stringified(
  value: unknown,
  stringify: (value: unknown) => string | undefined,
): Stringified {
  let text: string | undefined;
  let problem = "";
  try {
    text = stringify(value);
  } catch (error) {
    problem = `: ${String(error)}`;
  }
  // A number that JSON does not have has become null.
  const mayBeLost = text === undefined || text.includes("null");
  const part =
    (mayBeLost ? lostPart(value) : null) ?? (text === undefined ? null : inexactPart(text));
  if (part !== null) return { problem: `: ${describeInexact(part)}`, part };
  return text === undefined ? { problem, part } : { text, problem: null };
}

/** What JSON.stringify throws at, or writes as null. */
function lostPart(value: unknown): InexactPart | null {
  const found: InexactPart[] = [];
  /** From the whole value down to the last one that was looked at. */
  const above: { readonly value: unknown; readonly name: string }[] = [];
  try {
    JSON.stringify(value, function (this: unknown, name: string, part: unknown) {
      while (above.length > 0 && above.at(-1)?.value !== this) above.pop();
      const problem = problemOf(part, above);
      above.push({ value: part, name });
      if (problem === null) return part;
      const path = above.slice(1).map((one) => one.name);
      found.push({ path: path.join("."), problem });
      throw new TypeError(problem);
    });
  } catch {
    // It has been noted, or has been told by the error of the first try.
  }
  return found[0] ?? null;
}

function problemOf(part: unknown, above: readonly { readonly value: unknown }[]): string | null {
  if (typeof part === "bigint") return "is a BigInt: give it as a string";
  if (typeof part === "number" && !Number.isFinite(part)) {
    return `is ${part}, which is no number of JSON: give null or a string`;
  }
  const isObject = typeof part === "object" && part !== null;
  return isObject && above.some(({ value }) => value === part)
    ? "is circular: it refers to what contains it"
    : null;
}
