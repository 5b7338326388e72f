/**
 * Values that can be long: the argument itself, `@file` for the content of a file, or `-` for standard input.
 * `@@text` is a text that begins with @.
 */
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { describeInexact, inexactPart } from "../../protocol/storable-json.ts";
import { UsageError } from "./errors.ts";

/** Far more than a record can hold. It keeps a wrong file from filling the memory. */
const MOST_BYTES = 64 * 1024 * 1024;

/** The text of an option. A line end at the end of a file is left out. @throws UsageError */
export async function readText(option: string, given: string): Promise<string> {
  const { text, source } = await contentOf(option, given);
  return source === null ? text : text.replace(/\r?\n$/, "");
}

/**
 * The value of an option: JSON, or the text itself if it is not JSON, so that `--result done` needs no
 * quotes. What begins like an object, and the content of a file whose name ends in .json, must be JSON.
 *
 * @throws UsageError
 */
export async function readValue(option: string, given: string): Promise<unknown> {
  const { text, source } = await contentOf(option, given);
  const where = source ?? option;
  const mustBeJson = source?.endsWith(".json") === true || BEGINS_LIKE_JSON.test(text);
  try {
    const value: unknown = JSON.parse(text);
    refuseInexact(where, text);
    return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (!mustBeJson) return source === null ? text : text.replace(/\r?\n$/, "");
    const place = source === null ? option : `${source}:${placeOf(text)}`;
    throw new UsageError(`${place} is not valid JSON: ${reasonOf(error)}`);
  }
}

/** An object, or a list that does not look like "[done] ..." */
const BEGINS_LIKE_JSON = /^\s*(?:\{|\[\s*["{[])/;

/** The number that JavaScript reads would be another one than the user has written. */
function refuseInexact(where: string, text: string): void {
  const part = inexactPart(text);
  if (part !== null) throw new UsageError(`${where}: ${describeInexact(part)}`);
}

/** `3:14`, the line and column of the mistake. Not every version of Node says them. */
function placeOf(text: string): string {
  let [low, high] = [0, text.length];
  // The mistake is the first character with which the text can no longer become JSON.
  while (low < high) {
    const middle = (low + high) >> 1;
    if (canBecomeJson(text.slice(0, middle + 1))) low = middle + 1;
    else high = middle;
  }
  const lines = text.slice(0, low).split("\n");
  return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
}

/** Whether only the end is missing: then the error is that of the end. */
function canBecomeJson(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const [, position] = /position (\d+)/.exec(message) ?? [];
    return position === undefined
      ? message.startsWith("Unexpected end")
      : Number(position) >= beginning.length || message.startsWith("Unterminated string");
  }
}

/** Without the text itself, which can be long, and without the place. */
function reasonOf({ message }: SyntaxError): string {
  return message.replace(/, (?:\.\.\.)?".*$| in JSON at position .*$/s, "");
}

interface Content {
  readonly text: string;
  /** Where it was read, for messages. `null`: it is the argument itself. */
  readonly source: string | null;
}

async function contentOf(option: string, given: string): Promise<Content> {
  if (given === "-") return { text: await readInput(option), source: "standard input" };
  if (!given.startsWith("@") || given.startsWith("@@")) {
    return { text: given.replace(/^@@/, "@"), source: null };
  }
  const path = given.slice(1);
  return { text: await readFile(option, path), source: path };
}

async function readFile(option: string, path: string): Promise<string> {
  if (path === "") throw new UsageError(`${option}: name a file after @, such as @result.json`);
  try {
    return decoded(path, await bytesOf(path, createReadStream(path)));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const problem = error instanceof Error ? error.message : String(error);
    const hint = `a text that begins with @ is written as @@${basename(path)}`;
    throw new UsageError(`${option}: ${path} cannot be read (${problem}); ${hint}`);
  }
}

/** Standard input ends once, so only one option can have it. */
let inputReader: string | undefined;

async function readInput(option: string): Promise<string> {
  if (inputReader !== undefined) {
    throw new UsageError(`${inputReader} and ${option} cannot both read standard input`);
  }
  inputReader = option;
  const text = decoded("standard input", await bytesOf("standard input", process.stdin));
  if (text === "") throw new UsageError(`${option}: standard input is empty`);
  return text;
}

async function bytesOf(source: string, stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    size += chunk.length;
    if (size > MOST_BYTES) throw new UsageError(`${source} is larger than ${MOST_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}

function decoded(source: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${source} is not UTF-8 text`);
  }
}
