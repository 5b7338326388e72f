/**
 * Configuration. A flag wins over the environment, the environment over the YAML file, the file over the
 * default. All settings are validated together, then frozen. Only this part reads the environment. Names,
 * limits and defaults are in `config/schema.ts`.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { nearest } from "./protocol/nearest.ts";
import { configSchema, type ConfigValues } from "./config/schema.ts";
import { settings } from "./config/settings.ts";
import {
  type FlagValues,
  type OverrideValues,
  type RawConfig,
  readEnvironment,
  readFile,
  readFlags,
  readOverrides,
} from "./config/sources.ts";
import { type Environment, FILE_VARIABLE } from "./config/variables.ts";

export { type Setting, settings } from "./config/settings.ts";
export type { FlagValues, OverrideValues } from "./config/sources.ts";

type CamelCase<S> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail> & string>}`
  : S;
type Camelized<T> = T extends readonly (infer E)[]
  ? readonly E[]
  : T extends object
    ? { readonly [K in keyof T as CamelCase<K>]: Camelized<T[K]> }
    : T;

/** The settings of `config/schema.ts` in camel case: `config.nats.maxReconnectAttempts`. */
export type Config = Camelized<Omit<ConfigValues, "dev">> & {
  readonly dev: Omit<Camelized<ConfigValues["dev"]>, "cacheDir"> & {
    readonly cacheDir: string;
    /** The script of the npm that started this process. Not a setting. */
    readonly npmScript: string | undefined;
  };
  /** Whether npm or npx started this process, through a shell. Not a setting. */
  readonly startedByNpm: boolean;
  /** Variables of Kubernetes that look like settings, and were ignored. Not a setting. */
  readonly ignoredVariables: readonly string[];
  /** Options for every Node process that starts with this environment. Not a setting. */
  readonly nodeOptions: string;
};

export interface ConfigSources {
  /** By the name of the option without dashes: `{ "http-port": "9091" }`. */
  readonly flags?: FlagValues;
  /** What a program requires, by the name of the setting: `{ "retry.base_ms": 50 }`. Wins over all others. */
  readonly overrides?: OverrideValues;
  /** Default: the environment of this process. */
  readonly env?: Environment;
  /** Path of the YAML file. Default: the path in IF_COORDINATOR_CONFIG, or no file. */
  readonly file?: string | undefined;
}

/** The configuration cannot be used. The message names each bad setting, its source, and the cure. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  /** The value of `log.format`, as it was given. */
  readonly logFormat: unknown;

  constructor(problems: readonly string[], logFormat?: unknown) {
    super(problems.length === 1 ? problems.join() : ["bad settings:", ...problems].join("\n  "));
    this.problems = problems;
    this.logFormat = logFormat;
  }
}

/** @throws ConfigError */
export function loadConfig({
  flags = {},
  overrides = {},
  env = process.env,
  file,
}: ConfigSources = {}): Config {
  const raw: RawConfig = { values: emptyGroups(), sources: new Map(), ignored: [] };
  const path = file ?? (env[FILE_VARIABLE] === "" ? undefined : env[FILE_VARIABLE]);
  // From the weakest source to the strongest. Each one overwrites the one before.
  const problems = path === undefined ? [] : readFile(path, raw);
  problems.push(...readEnvironment(env, raw));
  readFlags(flags, raw);
  readOverrides(overrides, raw);
  const parsed = configSchema.safeParse(raw.values, { reportInput: true });
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((i) => explain(i, raw, path)));
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(problems, (raw.values.log as { format?: unknown } | undefined)?.format);
  }
  const config = camelize(parsed.data) as Camelized<ConfigValues>;
  const { cacheDir = defaultCacheDir(env), ...dev } = config.dev;
  return freeze({
    ...config,
    dev: { ...dev, cacheDir, npmScript: npmScript(env) },
    ignoredVariables: raw.ignored,
    startedByNpm: env.npm_lifecycle_event !== undefined,
    nodeOptions: env.NODE_OPTIONS ?? "",
  });
}

function emptyGroups(): Record<string, unknown> {
  const groups = settings().flatMap(({ name }) => name.split(".").slice(0, -1));
  return Object.fromEntries(groups.map((group) => [group, {}]));
}

function explain(issue: z.core.$ZodIssue, raw: RawConfig, file = "configuration"): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownSetting([...path, key].join("."), file));
  }
  const setting = settings().find(({ name }) => name.split(".").every((key, i) => path[i] === key));
  // The problem of an element is reported for its list.
  const name = setting?.name ?? path.join(".");
  const source = raw.sources.get(name) ?? `${file}: coordinator.${name}`;
  const shown =
    issue.code === "custom" || setting?.secret === true
      ? ""
      : `, not ${JSON.stringify(issue.input)}`;
  return [`${source} ${issue.message}${shown}`];
}

function unknownSetting(name: string, file: string): string {
  const guess = nearest(
    name,
    settings().map((setting) => setting.name),
  );
  const cure = guess === undefined ? "remove it" : `did you mean ${guess}?`;
  return `${file}: coordinator.${name} is not a setting: ${cure}`;
}

function defaultCacheDir(env: Environment): string {
  const base =
    process.platform === "win32"
      ? (env.LOCALAPPDATA ?? join(homedir(), "AppData", "Local"))
      : (env.XDG_CACHE_HOME ?? join(homedir(), ".cache"));
  return join(base, "if-coordinator");
}

/** Other package managers set the same variable. The script of npm is next to that of npx. */
function npmScript(env: Environment): string | undefined {
  const script = env.npm_execpath?.replace(/npx-cli\.js$/, "npm-cli.js");
  return script?.endsWith("npm-cli.js") === true ? script : undefined;
}

function camelize(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      camelize(inner),
    ]),
  );
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) freeze(inner as object);
  }
  return Object.freeze(value);
}
