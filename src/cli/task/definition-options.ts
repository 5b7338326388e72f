/** Options for the definition of a task, for the commands that create and change one. */
import type { Command } from "commander";
import { givenFields } from "../shared/given-fields.ts";
import {
  collectIdList,
  collectList,
  collectTexts,
  parseCount,
  parseTime,
} from "../shared/parse-values.ts";
import { metadataOf } from "../shared/metadata-value.ts";
import { readText, readValue } from "../shared/read-value.ts";

/** As commander gives them. `false`: the option `--no-...` clears the value. */
export interface DefinitionOptions {
  readonly title?: string;
  readonly description?: string | false;
  readonly priority?: number;
  readonly dependsOn?: string[];
  readonly requires?: string[];
  readonly tag?: string[];
  readonly metadata?: string[];
  readonly payload?: string | false;
  readonly notBefore?: string | false;
  readonly maxFailures?: number;
  readonly maxLostLeases?: number;
}

/** @param defaults whether the help names what a value is if its option is not given */
export function addDefinitionOptions(
  command: Command,
  { defaults }: { readonly defaults: boolean },
): Command {
  const unless = (value: string): string => (defaults ? ` (default: ${value})` : "");
  return command
    .option("-t, --title <text>", "what to do, in one line")
    .option("--description <text>", "more about it: a text, @file, or - for standard input")
    .option("--priority <n>", `0 (most urgent) to 4${unless("2")}`, parseCount)
    .option("--depends-on <id,...>", "tasks that must be complete first", collectIdList)
    .option("--requires <name,...>", "capabilities that a session must have", collectList)
    .option("--tag <name,...>", "tags to filter by", collectList)
    .option(
      "--metadata <name=text>",
      "anything to keep with the task; can be repeated, or JSON, @file or -",
      collectTexts,
    )
    .option("--payload <value>", "input of the work: JSON, a text, @file, or - for standard input")
    .option("--not-before <time>", "earliest start: an ISO-8601 time, or +10m", parseTime)
    .option(
      "--max-failures <n>",
      `failed attempts after which the task is failed${unless("3")}`,
      parseCount,
    )
    .option(
      "--max-lost-leases <n>",
      `lost leases after which the task is failed; 0: no limit${unless("10")}`,
      parseCount,
    );
}

/** The fields of a request. Reads files and standard input. @throws UsageError */
export async function definitionOf(options: DefinitionOptions) {
  const { title, priority, description, payload, notBefore, metadata } = options;
  return givenFields({
    title,
    description:
      typeof description === "string"
        ? await readText("--description", description)
        : cleared(description),
    priority,
    depends_on: options.dependsOn,
    requires: options.requires,
    tags: options.tag,
    metadata: metadata === undefined ? undefined : await metadataOf(metadata),
    payload: typeof payload === "string" ? await readValue("--payload", payload) : cleared(payload),
    not_before: notBefore === false ? null : notBefore,
    max_failures: options.maxFailures,
    max_lost_leases: options.maxLostLeases,
  });
}

/** What an option says that clears a value. */
export function cleared(option: false | undefined): null | undefined {
  return option === false ? null : undefined;
}
