/** Reads a text as a file of tasks, for tests. */
import { readTaskFiles, type ReadOptions, type ReadResult } from "../../src/task-files/read.ts";

export function readText(name: string, text: string, options: ReadOptions = {}): ReadResult {
  return readTaskFiles([{ name, bytes: Buffer.from(text) }], options);
}

/** Each as `file:line:column: message`. */
export function errorsOf({ findings }: ReadResult): string[] {
  return findings.errors.kept.map(({ place, message }) => `${place}: ${message}`);
}

export function warningsOf({ findings }: ReadResult): string[] {
  return findings.warnings.kept.map(({ place, message }) => `${place}: ${message}`);
}

/** The dependencies of each task by its id. */
export function dependenciesOf({ tasks }: ReadResult): Record<string, readonly string[]> {
  return Object.fromEntries(tasks.map(({ task_id, depends_on = [] }) => [task_id, depends_on]));
}
