/** Reads the tasks of a simulation from a file. */
import { readFile } from "node:fs/promises";
import type { ImportedTask } from "../client/import-tasks.ts";
import { describeInexact, inexactPart } from "../protocol/storable-json.ts";
import { SimulationOptionError } from "./options.ts";

/**
 * The file has a JSON array of tasks, or an object with such an array as `tasks`. The fields of the tasks
 * are checked when the tasks are imported.
 *
 * @throws SimulationOptionError
 */
export async function readTaskFile(path: string): Promise<ImportedTask[]> {
  const content = parseJson(await readText(path), path);
  const isObject = typeof content === "object" && content !== null;
  const tasks: unknown = isObject && "tasks" in content ? content.tasks : content;
  if (!Array.isArray(tasks) || tasks.length === 0) {
    throw new SimulationOptionError(
      `--file ${path}: must hold a JSON array of tasks, such as [{"task_id":"P0.1.1"}]`,
    );
  }
  return tasks as ImportedTask[];
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SimulationOptionError(`--file ${path} cannot be read: ${problem}`, { cause });
  }
}

function parseJson(text: string, path: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SimulationOptionError(`--file ${path} is not valid JSON: ${problem}`, { cause });
  }
  const inexact = inexactPart(text);
  if (inexact === null) return json;
  throw new SimulationOptionError(`--file ${path}: ${describeInexact(inexact)}`);
}
