/** The values of shared keys, which programs in any language put. */
import { describeInexact, inexactPart } from "../protocol/storable-json.ts";
import { TaskError } from "./task-error.ts";

/**
 * What is no JSON is the text that it is.
 *
 * @throws TaskError `corrupt_record` for JSON with numbers or text that would be read as something else
 */
export function readShared(key: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  const inexact = inexactPart(text);
  if (inexact === null) return value;
  const message = `the value of ${key} cannot be read as it is: ${describeInexact(inexact)}`;
  throw new TaskError("corrupt_record", message, { details: { field: inexact.path } });
}
