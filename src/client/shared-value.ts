/** Reads the values of shared keys, which programs in any language may write. */
import { describeInexact, inexactPart } from "../protocol/storable-json.ts";
import { TaskError } from "./task-error.ts";

/**
 * Parses JSON. A value that is not JSON is returned as text.
 *
 * @throws TaskError `corrupt_record` for JSON with numbers or text that JavaScript cannot represent exactly
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
  const message = `the value of ${key} cannot be read exactly: ${describeInexact(inexact)}`;
  throw new TaskError("corrupt_record", message, { details: { field: inexact.path } });
}
