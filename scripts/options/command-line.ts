/** The command line of a script: its usage text and its parser, both from one table of its options. */
import { parseArgs } from "node:util";
import { nearest } from "../../src/protocol/nearest.ts";
import type { Option } from "./kinds.ts";

type Options = Readonly<Record<string, Option<unknown>>>;

export interface Script<O extends Options = Options> {
  /** As people call it, such as `npm run soak`. */
  readonly name: string;
  /** One line of the usage text. */
  readonly does: string;
  readonly options: O;
  /** The words that it takes in addition to options, for the usage text. Default: none. */
  readonly words?: string;
  /** The only words that it takes. Default: any. */
  readonly names?: Names;
}

export interface Names {
  /** What each of them names, such as "suite". */
  readonly kind: string;
  readonly known: readonly string[];
  /** The option that lists the known names. */
  readonly list: string;
}

export interface Given<O extends Options> {
  readonly values: { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };
  readonly words: readonly string[];
}

/** A mistake on the command line. Its message is one line that contains the cure. */
export class UsageError extends Error {
  constructor({ name }: Script, problem: string) {
    super(`${problem} (all options: ${name} -- --help)`);
  }
}

/**
 * Parses the arguments of this process. Prints the usage text and exits with code 0 on `--help`; prints
 * one line and exits with code 2 on a mistake.
 */
export function optionsOrExit<T>(script: Script, parse: (args: readonly string[]) => T): T {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usageOf(script));
    process.exit(0);
  }
  try {
    return parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

function usageOf({ name, does, options, words }: Script): string {
  const lines = Object.entries(options).map(([option, { value, what, shown }]) => {
    return [
      value === null ? `--${option}` : `--${option} ${value}`,
      `${what} (default: ${shown})`,
    ] as const;
  });
  const all = [...lines, ["--help", "shows this text"] as const];
  const width = Math.max(...all.map(([left]) => left.length));
  return [
    `${name} -- [options]${words === undefined ? "" : ` [${words}]`}`,
    does,
    ...all.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
  ].join("\n");
}

/** @throws UsageError */
export function parse<O extends Options>(script: Script<O>, args: readonly string[]): Given<O> {
  const options = new Map<string, Option<unknown>>(Object.entries(script.options));
  const types = [...options].map(([name, { value }]) => {
    return [name, { type: value === null ? "boolean" : "string" }] as const;
  });
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    strict: false,
    tokens: true,
  });
  const values = new Map([...options].map(([name, { fallback }]) => [name, fallback]));
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(wordOf(script, token.value));
    if (token.kind !== "option") continue;
    const option = options.get(token.name);
    if (option === undefined) throw unknown(script, "option", token.rawName, namesOf(script));
    values.set(token.name, read(script, option, token));
  }
  return { values: Object.fromEntries(values) as Given<O>["values"], words };
}

function namesOf({ options }: Script): string[] {
  return [...Object.keys(options), "help"].map((name) => `--${name}`);
}

function wordOf(script: Script, word: string): string {
  const { words, names } = script;
  if (words === undefined) {
    throw new UsageError(script, `"${word}" belongs to no option: leave it out`);
  }
  if (names === undefined || names.known.includes(word)) return word;
  throw unknown(script, names.kind, word, names.known, `${names.list} shows them`);
}

/** @param cure for a name that resembles none of the known ones */
export function unknown(
  script: Script,
  kind: string,
  name: string,
  known: readonly string[],
  cure?: string,
): UsageError {
  const meant = nearest(name, known);
  const hint = meant === undefined ? cure : `did you mean ${meant}?`;
  return new UsageError(
    script,
    `there is no ${kind} ${name}${hint === undefined ? "" : `: ${hint}`}`,
  );
}

interface Token {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function read(script: Script, option: Option<unknown>, token: Token): unknown {
  const { rawName, value = "", inlineValue = false } = token;
  // A "value" that begins with dashes is the next option: this one lacks its value.
  const given = !inlineValue && value.startsWith("--") ? "" : value;
  const isFlag = option.value === null;
  // Flags take no value, all others need one.
  const result = isFlag === (given === "") ? option.read(given) : undefined;
  if (result !== undefined) return result;
  throw new UsageError(script, `${[rawName, given].join(" ").trim()}: takes ${option.takes}`);
}
