/** Reads settings from the YAML file, the environment and the command line, and notes the source of each. */
import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { nearest } from "../protocol/nearest.ts";
import { type Setting, settings } from "./settings.ts";
import { type Environment, OTHER_VARIABLES } from "./variables.ts";

/** The values that are set, and the source of each. */

export interface RawConfig {
  /** By the names of the YAML file. */
  readonly values: Record<string, unknown>;
  /** From a setting's name to the name of its source: `--port`, a variable, a place in the file. */
  readonly sources: Map<string, string>;
  /** Variables that Kubernetes sets, and that look like settings. */
  readonly ignored: string[];
}

/** By the name of the option without dashes (`http-port`); `undefined`: not given. */
export type FlagValues = Readonly<Record<string, string | number | boolean | undefined>>;
/** By the name of the setting (`retry.base_ms`). */
export type OverrideValues = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/** @returns the problems of the file itself; the schema finds those of the values */
export function readFile(path: string, raw: RawConfig): string[] {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return [`cannot read the configuration file ${path} (${code}): check the path after --config`];
  }
  const document = parseDocument(content);
  const syntax = document.errors[0];
  if (syntax !== undefined) return [`${path} is not valid YAML: ${firstLine(syntax.message)}`];
  const parsed: unknown = document.toJS();
  if (!isMapping(parsed) || !isMapping(parsed.coordinator)) {
    return [`${path}: must have a key "coordinator" with the settings below it`];
  }
  const stray = Object.keys(parsed).filter((key) => key !== "coordinator");
  copy(parsed.coordinator, [], raw, path);
  return stray.map((key) => `${path}: ${key} is unknown; settings go below "coordinator"`);
}

/** Copies the values that are set. `null` in the file means "not set". */
function copy(
  from: Readonly<Record<string, unknown>>,
  at: readonly string[],
  raw: RawConfig,
  file: string,
): void {
  for (const [key, value] of Object.entries(from)) {
    if (value === null) continue;
    const path = [...at, key];
    if (isMapping(value)) copy(value, path, raw, file);
    else put(raw, path, parsed(value, path), `${file}: coordinator.${path.join(".")}`);
  }
}

/** A list may also be a text with commas, as it is in a variable. */
function parsed(value: unknown, path: readonly string[]): unknown {
  if (typeof value !== "string") return value;
  const setting = settings().find(({ name }) => name === path.join("."));
  return setting?.kind === "list" ? fromText(value, setting) : value;
}

/** An empty variable counts as not set. @returns a problem for each variable that is not a setting */
export function readEnvironment(environment: Environment, raw: RawConfig): string[] {
  const known = new Map(settings().map((setting) => [setting.env, setting]));
  const problems: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith("IF_COORDINATOR_") || OTHER_VARIABLES.includes(variable)) continue;
    const setting = known.get(variable);
    if (isOfKubernetes(variable, value, setting !== undefined)) raw.ignored.push(variable);
    else if (setting === undefined) {
      const guess = nearest(variable, [...known.keys(), ...OTHER_VARIABLES]);
      problems.push(
        `${variable} is not a setting: ` +
          (guess === undefined ? "unset it" : `did you mean ${guess}?`),
      );
    } else if (value !== undefined && value !== "") {
      put(raw, setting.name.split("."), fromText(value, setting), variable);
    }
  }
  return problems;
}

/**
 * Kubernetes gives each pod variables about the Services of its namespace. For a Service with a name such
 * as if-coordinator or if-coordinator-metrics, they begin as settings do, and some are named like one.
 */
function isOfKubernetes(variable: string, value = "", isSetting: boolean): boolean {
  if (/^(tcp|udp|sctp):\/\//.test(value) && /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(variable))
    return true;
  return (
    !isSetting &&
    /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(variable)
  );
}

/** @throws TypeError if a flag does not belong to a setting, which is a mistake in the program */
export function readFlags(flags: FlagValues, raw: RawConfig): void {
  readNamed(flags, ({ flag }) => flag, "--", raw);
}

/** Reads what a program sets, by the names of the settings. @throws TypeError if there is no such setting */
export function readOverrides(overrides: OverrideValues, raw: RawConfig): void {
  readNamed(overrides, ({ name }) => name, "", raw);
}

function readNamed(
  given: OverrideValues,
  nameOf: (setting: Setting) => string | undefined,
  prefix: string,
  raw: RawConfig,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const setting = settings().find((candidate) => nameOf(candidate) === name);
    if (setting === undefined) throw new TypeError(`there is no setting ${prefix}${name}`);
    const parsed = typeof value === "string" ? fromText(value, setting) : value;
    put(raw, setting.name.split("."), parsed, prefix + name);
  }
}

/** A text that does not fit the kind of the setting stays a text, which the schema then refuses. */
function fromText(text: string, { kind }: Setting): unknown {
  const trimmed = text.trim();
  if (kind === "number" && /^[+-]?\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (kind === "boolean" && /^(true|false)$/i.test(trimmed)) return /^true$/i.test(trimmed);
  if (kind === "list") return trimmed.split(",").map((part) => part.trim());
  return text;
}

function put(raw: RawConfig, path: readonly string[], value: unknown, source: string): void {
  let group = raw.values;
  for (const key of path.slice(0, -1)) {
    const inner = isMapping(group[key]) ? group[key] : {};
    group[key] = inner;
    group = inner;
  }
  group[path.at(-1) ?? ""] = value;
  raw.sources.set(path.join("."), source);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
