/** Reads JSON, and JSON Lines. */
import { parseJson, SyntaxProblem } from "./json.ts";
import type { Parsed } from "./objects.ts";
import { Places } from "./places.ts";
import type { ReadDrafts } from "./reading.ts";

/** `null` if the text is not JSON; the findings then say where. */
export function parseJsonFile({ source, findings }: ReadDrafts): Parsed | null {
  const places = new Places();
  const onRefused = (offset: number, message: string): void => {
    findings.error(source, offset, message);
  };
  try {
    return { values: [parseJson(source.text, places, onRefused)], places, offsets: [0] };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    findings.error(source, error.offset, error.message);
    return null;
  }
}

/** Each line that is not empty is a value. A line that is wrong does not hide problems of the others. */
export function parseJsonLines({ source, findings }: ReadDrafts): Parsed {
  const { text } = source;
  const places = new Places();
  const onRefused = (offset: number, message: string): void => {
    findings.error(source, offset, message);
  };
  const values: unknown[] = [];
  const offsets: number[] = [];
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    if (text.slice(start, end).trim() !== "") {
      try {
        values.push(parseJson(text, places, onRefused, [start, end]));
        offsets.push(start);
      } catch (error) {
        if (!(error instanceof SyntaxProblem)) throw error;
        findings.error(source, error.offset, error.message);
      }
    }
    start = end + 1;
  }
  return { values, places, offsets };
}
