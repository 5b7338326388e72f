/** Reads the tasks of a simulation from a file in any of the formats of `import`. */
import { readFile } from "node:fs/promises";
import type { ImportedTask } from "../client/import-tasks.ts";
import { readTaskFiles } from "../task-files/read.ts";
import { SimulationOptionError } from "./options.ts";

/** So many problems of the file are named. */
const MAX_SHOWN = 20;

/** @throws SimulationOptionError */
export async function readTaskFile(path: string): Promise<readonly ImportedTask[]> {
  const { tasks, findings } = readTaskFiles([{ name: path, bytes: await readBytes(path) }]);
  const { kept, count } = findings.errors;
  if (count > 0) {
    const shown = kept.slice(0, MAX_SHOWN).map(({ place, message }) => `${place}: ${message}`);
    const more = count > shown.length ? [`and ${count - shown.length} more problems`] : [];
    throw new SimulationOptionError(`--file: ${[...shown, ...more].join("\n")}`);
  }
  if (tasks.length > 0) return tasks;
  throw new SimulationOptionError(
    `--file ${path}: must hold tasks, such as [{"task_id":"P0.1.1"}]`,
  );
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new SimulationOptionError(`--file ${path} cannot be read: ${problem}`, { cause });
  }
}
