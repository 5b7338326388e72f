/** What can follow on a command line. `typed-words.ts` says where the user is, and this what fits there. */
import type { Argument, Command, Option } from "commander";
import { EVENT_TYPES, TASK_STATUSES } from "../../task/task.ts";
import { type CommandEntries, type CommandTable, isGroup } from "../command-entry.ts";
import { readTypedWords, type TypedLine } from "./typed-words.ts";

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** `null`: names of files. */
export type Candidates = readonly Candidate[] | null;

/** What only the coordinator, or this machine, knows. */
export type LookUp = (
  kind: "task" | "session" | "context",
  prefix: string,
  line: TypedLine,
) => Promise<readonly Candidate[]>;

/** Values of options and arguments that are not declared with `choices`, because they can be lists. */
const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  status: TASK_STATUSES,
  type: EVENT_TYPES,
  shell: ["bash", "zsh", "fish"],
};
const FILES = /<(?:[\w-]*-)?(?:file|files|path|dir|folder)\b|\[(?:file|files|path)\b/;

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
  const { spelling, name } = namesOf(of);
  if (FILES.test(spelling)) return null;
  const isList = spelling.includes(",");
  const done = isList ? line.current.slice(0, line.current.lastIndexOf(",") + 1) : "";
  const fixed = of.argChoices ?? KNOWN_VALUES[name];
  const found =
    fixed === undefined
      ? await lookedUp(line, name, spelling, line.current.slice(done.length), lookUp)
      : fixed.map((value) => ({ value, description: "" }));
  return found.map(({ value, description }) => ({ value: done + value, description }));
}

function lookedUp(
  line: TypedLine,
  name: string,
  spelling: string,
  prefix: string,
  lookUp: LookUp,
): Promise<readonly Candidate[]> | readonly Candidate[] {
  if (name === "context") return lookUp("context", prefix, line);
  if (!/[<[](?:id|ids|task|tasks)\b/.test(spelling)) return [];
  const isSession = name === "session" || line.path.startsWith("session ");
  return lookUp(isSession ? "session" : "task", prefix, line);
}

/** How its value is spelled in the help, such as `<name,...>`, and what it is called. */
function namesOf(of: Option | Argument): { readonly spelling: string; readonly name: string } {
  if ("flags" in of) return { spelling: /[<[].*/.exec(of.flags)?.[0] ?? "", name: of.name() };
  const dots = of.variadic ? "..." : "";
  return { spelling: `<${of.name()}${dots}>`, name: of.name() };
}
