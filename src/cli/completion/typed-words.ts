/** What the words of an unfinished command line mean: the command, its arguments, and what is being typed. */
import { Command, type Argument, type Option } from "commander";
import {
  type CommandEntries,
  type CommandModule,
  type CommandTable,
  isGroup,
} from "../command-entry.ts";

/** The place of the word that is being typed. */
export type Place =
  | { readonly kind: "command"; readonly entries: CommandEntries }
  | { readonly kind: "option name"; readonly command: Command }
  | { readonly kind: "option value"; readonly command: Command; readonly option: Option }
  | { readonly kind: "argument"; readonly command: Command; readonly argument: Argument }
  /** No argument is left. */
  | { readonly kind: "end"; readonly command: Command }
  /** After `--`, or in a command that does not exist. */
  | { readonly kind: "anything" };

export interface TypedLine {
  /** Of the command, such as `task claim`. */
  readonly path: string;
  readonly place: Place;
  /** The part of the word that is complete already, such as `a,b,` of a list. */
  readonly current: string;
  /** The values of the options before, by the names of commander. */
  readonly values: Readonly<Record<string, string>>;
}

/** @param words after the name of the program; the last one is being typed, and can be empty */
export async function readTypedWords(
  words: readonly string[],
  table: CommandTable,
): Promise<TypedLine> {
  const joined = joinEquals(words);
  const current = joined.pop() ?? "";
  let entries = Object.assign({}, ...Object.values(table)) as CommandEntries;
  const path: string[] = [];
  for (const [index, word] of joined.entries()) {
    const entry = entries[word];
    if (entry === undefined) {
      return { path: path.join(" "), place: { kind: "anything" }, current, values: {} };
    }
    path.push(word);
    if (isGroup(entry)) entries = entry.commands;
    else {
      const command = define(word, await entry.load(), table);
      return { path: path.join(" "), ...placeIn(command, joined.slice(index + 1), current) };
    }
  }
  return { path: path.join(" "), place: { kind: "command", entries }, current, values: {} };
}

function define(name: string, module: CommandModule, table: CommandTable): Command {
  const command = new Command(name);
  module.define(command, table);
  return command;
}

/** bash makes three words of `--status=claimed`. */
function joinEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1);
    if (before?.startsWith("--") === true && (word === "=" || before.endsWith("="))) {
      joined[joined.length - 1] = before + word;
    } else joined.push(word);
  }
  return joined;
}

type TypedPlace = Pick<TypedLine, "place" | "current" | "values">;

function placeIn(command: Command, before: readonly string[], current: string): TypedPlace {
  const values: Record<string, string> = {};
  let argumentCount = 0;
  let open: Option | undefined;
  for (const word of before) {
    if (word === "--") return { place: { kind: "anything" }, current, values };
    const [name = "", value] = splitEquals(word);
    const option = word.startsWith("-") ? optionOf(command, name) : undefined;
    if (option !== undefined && value !== undefined) values[option.attributeName()] = value;
    if (word.startsWith("-")) open = value === undefined && takesValue(option) ? option : undefined;
    else if (open !== undefined) {
      values[open.attributeName()] = word;
      open = open.variadic ? open : undefined;
    } else argumentCount++;
  }
  return { ...placeOf(command, open, argumentCount, current), values };
}

function placeOf(
  command: Command,
  open: Option | undefined,
  argumentCount: number,
  current: string,
): Pick<TypedLine, "place" | "current"> {
  const [name = "", value] = splitEquals(current);
  if (current.startsWith("-") && value !== undefined) {
    const option = optionOf(command, name);
    if (option === undefined) return { place: { kind: "anything" }, current };
    return { place: { kind: "option value", command, option }, current: value };
  }
  if (open !== undefined && !current.startsWith("-")) {
    return { place: { kind: "option value", command, option: open }, current };
  }
  if (current.startsWith("-")) return { place: { kind: "option name", command }, current };
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[argumentCount] ?? (last?.variadic === true ? last : null);
  const place: Place =
    argument === null ? { kind: "end", command } : { kind: "argument", command, argument };
  return { place, current };
}

function splitEquals(word: string): readonly [string?, string?] {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  return equals === -1 ? [word] : [word.slice(0, equals), word.slice(equals + 1)];
}

function optionOf(command: Command, name: string): Option | undefined {
  return command.options.find(({ long, short }) => name === long || name === short);
}

function takesValue(option: Option | undefined): option is Option {
  return option !== undefined && (option.required || option.optional);
}
