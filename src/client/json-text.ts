/** Values of callers as JSON text, or an error that names the part that JSON would change. */
import { describeInexact, type InexactPart, inexactPart } from "../protocol/storable-json.ts";
import { invalidInput, TaskError } from "./task-error.ts";

/**
 * Parts that are `undefined` or functions are left out, as JSON.stringify does.
 *
 * @param name of the value in errors
 * @throws TaskError `invalid_request` for values that JSON cannot express: a BigInt, NaN, a cycle, half of
 *   a surrogate pair, and a value that is itself `undefined` or a function
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
  // JSON.stringify writes NaN and Infinity as null.
  const mayBeLost = text === undefined || text.includes("null");
  const part =
    (mayBeLost ? lostPart(value) : null) ?? (text === undefined ? null : inexactPart(text));
  if (part !== null) return { problem: `: ${describeInexact(part)}`, part };
  return text === undefined ? { problem, part } : { text, problem: null };
}

/** The part at which JSON.stringify throws, or which it writes as null. */
function lostPart(value: unknown): InexactPart | null {
  const found: InexactPart[] = [];
  /** The path from the whole value down to the last visited one. */
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
    // The problem is in `found`, or the first stringify has reported it.
  }
  return found[0] ?? null;
}

function problemOf(part: unknown, above: readonly { readonly value: unknown }[]): string | null {
  if (typeof part === "bigint") return "is a BigInt: give it as a string";
  if (typeof part === "number" && !Number.isFinite(part)) {
    return `is ${part}, which is not a JSON number: give null or a string`;
  }
  const isObject = typeof part === "object" && part !== null;
  return isObject && above.some(({ value }) => value === part)
    ? "is circular: it refers to what contains it"
    : null;
}
