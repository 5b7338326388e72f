/** Reads the files that the user names, and standard input. */
import { readFile } from "node:fs/promises";
import type { TaskFile } from "../../task-files/read.ts";
import { UsageError } from "../shared/errors.ts";

/** @throws UsageError that names every file that cannot be read */
export async function readFiles(names: readonly string[]): Promise<TaskFile[]> {
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) throw new UsageError(`${repeated} is named twice: name it once`);
  const files: TaskFile[] = [];
  const problems: string[] = [];
  for (const name of names) {
    try {
      files.push(name === "-" ? await readInput() : { name, bytes: await readFile(name) });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      problems.push(`${name} cannot be read: ${REASONS[code] ?? String(error)}`);
    }
  }
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return files;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a folder; name the files in it",
  EACCES: "you have no permission to read it",
  ERR_FS_FILE_TOO_LARGE: "it has more than 2 GiB; split it",
};

async function readInput(): Promise<TaskFile> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return { name: "standard input", bytes: Buffer.concat(chunks) };
}
