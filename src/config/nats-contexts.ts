/** Contexts of the `nats` command line: how to reach a NATS system, in a JSON file for each name. */
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { nearest } from "../protocol/nearest.ts";
import type { ConnectionSettings } from "./connection-settings.ts";

/** The context cannot be used. The message names its file and the cure. */
export class ContextError extends Error {
  override readonly name = "ContextError";
}

const FIELDS: Readonly<Record<string, keyof ConnectionSettings>> = {
  url: "servers",
  user: "username",
  password: "password",
  token: "token",
  creds: "credsFile",
  nkey: "nkeyFile",
  ca: "caCert",
  cert: "certFile",
  key: "keyFile",
  inbox_prefix: "inboxPrefix",
  jetstream_domain: "jsDomain",
};
/** They change how to connect, so a context that has one of them cannot be followed. */
const UNSUPPORTED = [
  "nsc",
  "user_jwt",
  "user_seed",
  "socks_proxy",
  "tls_first",
  "jetstream_api_prefix",
];
const PATHS = ["credsFile", "nkeyFile", "caCert", "certFile", "keyFile"];

/** @throws ContextError */
export function readContext(
  name: string,
  configHome = join(homedir(), ".config"),
): ConnectionSettings {
  const folder = folderIn(configHome);
  const file = join(folder, `${name}.json`);
  if (name === "" || /[/\\]/.test(name)) {
    throw new ContextError(`"${name}" is not the name of a context`);
  }
  const given = parse(file, read(file, folder, name));
  const unsupported = UNSUPPORTED.find((field) => isSet(given[field]));
  if (unsupported !== undefined) {
    throw new ContextError(
      `${file}: ${unsupported} is not supported: use another context, or --creds`,
    );
  }
  const settings = Object.entries(FIELDS).flatMap(([field, setting]) => {
    const value = given[field];
    if (!isSet(value)) return [];
    if (typeof value !== "string") throw new ContextError(`${file}: ${field} must be a text`);
    return [[setting, PATHS.includes(setting) ? value.replace(/^~(?=\/)/, homedir()) : value]];
  });
  return Object.fromEntries(settings) as ConnectionSettings;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && value !== false;
}

function read(file: string, folder: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw new ContextError(`${file} cannot be read (${problem})`, { cause });
    }
    const names = contextNames(folder);
    const guess = nearest(name, names);
    const cure =
      names.length === 0
        ? `there are no contexts in ${folder}: make one with "nats context add ${name}"`
        : `did you mean ${guess ?? names.slice(0, 10).join(", ")}?`;
    throw new ContextError(`there is no NATS context "${name}": ${cure}`, { cause });
  }
}

/** The names of the contexts. */
export function contextsIn(configHome: string): readonly string[] {
  return contextNames(folderIn(configHome));
}

function folderIn(configHome: string): string {
  return join(configHome, "nats", "context");
}

function contextNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => file.slice(0, -".json".length));
  } catch {
    return [];
  }
}

function parse(file: string, text: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new ContextError(`${file} is not valid JSON${placeIn(text, cause)}`, { cause });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  throw new ContextError(`${file} must be a JSON object`);
}

/** Not the message of the error itself, because it quotes the file, which may have a password there. */
function placeIn(text: string, cause: unknown): string {
  const [, position] = /at position (\d+)/.exec(String(cause)) ?? [];
  if (position === undefined) return "";
  return ` (line ${text.slice(0, Number(position)).split("\n").length})`;
}
