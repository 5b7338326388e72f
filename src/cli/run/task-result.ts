/** The result of a command that has succeeded: what it wrote to its result file, or its last line. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { inexactPart, isTooDeep } from "../../protocol/storable-json.ts";
import { lastLine, type OutputEnd } from "./output-text.ts";

export type CommandResult =
  | {
      readonly kind: "value";
      readonly value: unknown;
      /** The last line of the output may be a result or not: only the command knows. */
      readonly from: "file" | "output";
      /** Only the end of the last line is the result. */
      readonly isCut: boolean;
    }
  /** The command has written a result that cannot be stored. */
  | { readonly kind: "unusable"; readonly problem: string };

/** More than any record can hold. The coordinator refuses what is less and too much. */
const MAX_BYTES = 8 * 1024 * 1024;

/** @param path of the result file, which need not exist */
export async function readResult(path: string, stdout: OutputEnd): Promise<CommandResult> {
  return (await readResultFile(path)) ?? resultOfOutput(stdout);
}

/** `null` if there is no such file. */
async function readResultFile(path: string): Promise<CommandResult | null> {
  try {
    // A pipe without a writer would block without this flag.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return unusable("is not a file");
      if (stats.size > MAX_BYTES) return unusable(`has ${stats.size} bytes: no record holds that`);
      return resultOfFile(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return code === "ENOENT" ? null : unusable(`cannot be read (${code})`);
  }
}

export function resultOfFile(bytes: Buffer): CommandResult {
  let text: string;
  try {
    text = new TextDecoder("utf8", { fatal: true }).decode(bytes);
  } catch {
    return unusable(
      "is not text in UTF-8: store binary data elsewhere, and its place as the result",
    );
  }
  return { kind: "value", value: valueOf(text), from: "file", isCut: false };
}

export function resultOfOutput(stdout: OutputEnd): CommandResult {
  const { text, isCut } = lastLine(stdout) ?? { text: "", isCut: false };
  const value = isCut ? `…${text}` : valueOf(text);
  return { kind: "value", value, from: "output", isCut };
}

/** JSON as its value, if it can be stored unchanged; other text as it is; nothing as `null`. */
export function valueOf(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  try {
    const value: unknown = JSON.parse(trimmed);
    if (inexactPart(trimmed) === null && !isTooDeep(value)) return value;
  } catch {
    // It is text.
  }
  return text.replace(/\r?\n$/, "");
}

function unusable(what: string): CommandResult {
  return { kind: "unusable", problem: `the result file ${what}` };
}
