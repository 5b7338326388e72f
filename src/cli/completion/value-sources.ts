/** What the value of an option or an argument can be, by how the help names and spells it. */
import type { Argument, Option } from "commander";
import { EVENT_TYPES, TASK_STATUSES } from "../../task/task.ts";

export type ValueSource =
  /** One of a closed set. */
  | { readonly kind: "fixed"; readonly values: readonly string[] }
  /** What only the coordinator, or this machine, knows. */
  | { readonly kind: "task" | "session" | "context" }
  /** Names of files, which the shell completes. */
  | { readonly kind: "files" }
  /** Any text. */
  | { readonly kind: "free" };

/** Values that are not declared with `choices`, because they can be lists, or because a schema checks them. */
const KNOWN_VALUES: Readonly<Record<string, readonly string[]>> = {
  status: TASK_STATUSES,
  // The short form, and the one of the protocol.
  type: [...EVENT_TYPES.map((type) => type.replace(/^task_/, "")), ...EVENT_TYPES],
  priority: ["0", "1", "2", "3", "4"],
  since: ["now", "beginning"],
  shell: ["bash", "zsh", "fish"],
  "log-level": ["debug", "info", "warn", "error", "silent"],
  "log-format": ["pretty", "json"],
};
/** Their id is a new one. */
const CREATING = ["task create"];

const FILES = /^[<[](?:[\w-]*-)?(?:file|files|path|folder|command)\b/;
const IDS = /^[<[](?:id|ids|task|tasks|session|sessions)\b/;

export function sourceOf(of: Option | Argument, commandPath: string): ValueSource {
  const { spelling, name } = namesOf(of);
  const values = of.argChoices ?? KNOWN_VALUES[name];
  if (values !== undefined) return { kind: "fixed", values };
  if (FILES.test(spelling) || name.endsWith("-dir")) return { kind: "files" };
  if (name === "context") return { kind: "context" };
  if (!IDS.test(spelling)) return { kind: "free" };
  if (!("flags" in of) && CREATING.includes(commandPath)) return { kind: "free" };
  const isSession =
    name === "session" || spelling.includes("session") || commandPath.startsWith("session ");
  return { kind: isSession ? "session" : "task" };
}

/** Whether several values can stand in one word, with commas. */
export function isList(of: Option | Argument): boolean {
  return namesOf(of).spelling.includes(",");
}

/** An option is spelled `<status,...>` in the help, and an argument `<id>`. */
function namesOf(of: Option | Argument): { readonly spelling: string; readonly name: string } {
  const spelling = "flags" in of ? (/[<[].*/.exec(of.flags)?.[0] ?? "") : `<${of.name()}>`;
  return { spelling, name: of.name() };
}
