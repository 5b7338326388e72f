/** Reads and writes a file that belongs to others: as text, and whole or not at all. */
import {
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { ConfigFileError } from "./entry.ts";

const PRIVATE = 0o600;

/** `null`: there is no such file. @throws ConfigFileError */
export function readText(file: string): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigFileError(`${file} cannot be read: ${reason}`);
  }
}

/** Writes a new file and moves it to the place of the old one. An empty text removes it. */
export function writeText(file: string, text: string): void {
  if (text === "") {
    rmSync(file, { force: true });
    return;
  }
  mkdirSync(dirname(file), { recursive: true });
  // A link stays a link.
  const target = realPathOf(file);
  const temporary = `${target}.${process.pid}.tmp`;
  // User files of clients can have tokens.
  writeFileSync(temporary, text, { mode: modeOf(target) ?? PRIVATE, flag: "wx" });
  renameSync(temporary, target);
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode & 0o777;
  } catch {
    return undefined;
  }
}
