/** The command line of a script: its usage, and what it was given, from one table of its options. */
import { parseArgs } from "node:util";
import type { Option } from "./kinds.ts";

type Options = Readonly<Record<string, Option<unknown>>>;

export interface Script<O extends Options = Options> {
  /** As people call it, such as `npm run soak`. */
  readonly name: string;
  /** In one line. */
  readonly does: string;
  readonly options: O;
  /** What it takes beside options, for the usage. Default: nothing. */
  readonly words?: string;
}

export interface Given<O extends Options> {
  readonly values: { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };
  readonly words: readonly string[];
}

/** The command line is at fault: its message is one line with the cure. */
export class UsageError extends Error {
  constructor({ name }: Script, problem: string) {
    super(`${problem} (all options: ${name} -- --help)`);
  }
}

/**
 * What the process was started with. Ends it with the usage if that is asked for, and with one line if
 * there is a mistake.
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
  const all = [...lines, ["--help", "shows this"] as const];
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
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.get(token.name);
    if (option === undefined) throw new UsageError(script, `there is no option ${token.rawName}`);
    values.set(token.name, read(script, option, token));
  }
  if (script.words === undefined && words.length > 0) {
    throw new UsageError(script, `"${words.join(" ")}" belongs to no option: leave it out`);
  }
  return { values: Object.fromEntries(values) as Given<O>["values"], words };
}

interface Token {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function read(script: Script, option: Option<unknown>, token: Token): unknown {
  const { rawName, value = "", inlineValue = false } = token;
  // What looks like the next option is that: this one was left without its value.
  const given = !inlineValue && value.startsWith("--") ? "" : value;
  const isFlag = option.value === null;
  // Flags take no value, all others need one.
  const result = isFlag === (given === "") ? option.read(given) : undefined;
  if (result !== undefined) return result;
  throw new UsageError(script, `${[rawName, given].join(" ").trim()}: takes ${option.takes}`);
}
