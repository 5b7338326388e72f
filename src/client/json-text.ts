/** Values of callers as JSON, or an error that names what cannot be expressed so. */
import { invalidInput } from "./task-error.ts";

/** @throws TaskError `invalid_request` for a BigInt, a cycle, a function or `undefined` */
export function toJsonText(
  name: string,
  value: unknown,
  stringify: (value: unknown) => string | undefined = JSON.stringify,
): string {
  let problem = "";
  try {
    const text = stringify(value);
    if (text !== undefined) return text;
  } catch (error) {
    problem = `: ${String(error)}`;
  }
  throw invalidInput(name, `must be something that JSON can express${problem}`);
}
