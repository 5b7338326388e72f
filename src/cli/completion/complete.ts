/** What can follow on a command line. `typed-words.ts` says where the user is, and this what fits there. */
import type { Argument, Command, Option } from "commander";
import { type CommandEntries, type CommandTable, isGroup } from "../command-entry.ts";
import { isList, sourceOf, type ValueSource } from "./value-sources.ts";
import { readTypedWords, type TypedLine } from "./typed-words.ts";

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** `null`: names of files. */
export type Candidates = readonly Candidate[] | null;

/** What only the coordinator, or this machine, knows. */
export type LookUp = (
  kind: Exclude<ValueSource["kind"], "fixed" | "files" | "free">,
  prefix: string,
  line: TypedLine,
) => Promise<readonly Candidate[]>;

/** @param words after the name of the program; the last one is being typed, and can be empty */
export async function complete(
  words: readonly string[],
  table: CommandTable,
  lookUp: LookUp,
): Promise<Candidates> {
  const line = await readTypedWords(words, table);
  const all = await candidatesAt(line, lookUp);
  if (all === null) return null;
  return all.filter(({ value }) => value.startsWith(line.current));
}

async function candidatesAt(line: TypedLine, lookUp: LookUp): Promise<Candidates> {
  const { place, current } = line;
  switch (place.kind) {
    case "anything":
      return null;
    case "command":
      return current.startsWith("-") ? [HELP] : commandsOf(place.entries);
    case "option name":
    case "end":
      return optionsOf(place.command);
    case "option value":
      return valuesOf(line, place.option, lookUp);
    case "argument":
      return valuesOf(line, place.argument, lookUp);
  }
}

const HELP: Candidate = { value: "--help", description: "display help for command" };

function commandsOf(entries: CommandEntries): readonly Candidate[] {
  return Object.entries(entries).map(([name, entry]) => ({
    // A group is followed by one of its commands.
    value: name,
    description: isGroup(entry) ? `${entry.summary} …` : entry.summary,
  }));
}

function optionsOf(command: Command): readonly Candidate[] {
  const shown = command.options.filter(({ hidden, long }) => !hidden && long != null);
  const candidates = shown.map(({ long, description }) => ({ value: long ?? "", description }));
  return [...candidates, HELP];
}

async function valuesOf(
  line: TypedLine,
  of: Option | Argument,
  lookUp: LookUp,
): Promise<Candidates> {
  const source = sourceOf(of, line.path);
  if (source.kind === "files") return null;
  if (source.kind === "free") return [];
  // The values before the last comma are complete.
  const done = isList(of) ? line.current.slice(0, line.current.lastIndexOf(",") + 1) : "";
  const prefix = line.current.slice(done.length);
  const found =
    source.kind === "fixed"
      ? fixedValues(source.values, prefix)
      : await lookUp(source.kind, prefix, line);
  return found.map(({ value, description }) => ({ value: done + value, description }));
}

/** Without the longer forms of values that fit as well. */
function fixedValues(values: readonly string[], prefix: string): readonly Candidate[] {
  const fitting = values.filter((value) => value.startsWith(prefix));
  return fitting
    .filter((value) => !fitting.some((other) => value === `task_${other}`))
    .map((value) => ({ value, description: "" }));
}
