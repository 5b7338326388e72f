/** Who takes part in an attack, and how each logs in: with or without an account of its own. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Visibility } from "../../src/protocol/visibility.ts";

export const MODES = ["open", "secured"] as const;
/** `open`: `auth.mode: open` on a plain server. `secured`: accounts that `auth` has made. */
export type Mode = (typeof MODES)[number];

/** The agents next to the attacker. Each has a session of the same name. */
export const HONEST = ["alice", "bob"] as const;
export const ATTACKER = "mallory";
/** An agent that is named like an operator, and so could be mistaken for one. */
export const OPERATOR = "ann";

/** What differs between the modes. */
export interface SetUp {
  readonly mode: Mode;
  /** Configuration of the NATS server. */
  readonly serverConfig: string;
  /** Settings of the worker by name. */
  readonly settings: Readonly<Record<string, string>>;
  credsFile(name: string): string | null;
}

export const OPEN: SetUp = {
  mode: "open",
  serverConfig: "jetstream: enabled",
  settings: { "auth.mode": "open" },
  credsFile: () => null,
};

/**
 * Makes the accounts as an operator does, with the commands of the build. They last for the whole run.
 *
 * @param visibility what agents see of each other
 */
export async function makeSecured(
  command: readonly string[],
  folder: string,
  visibility: Visibility,
): Promise<SetUp> {
  const path = join(folder, `auth-${visibility}`);
  const auth = async (...words: readonly string[]): Promise<void> => {
    const [program = "", ...args] = [...command, "auth", ...words];
    await promisify(execFile)(program, args);
  };
  // An older build does not know the option.
  const shown = visibility === "all" ? [] : ["--visibility", visibility];
  await auth("init", path, "--nats", "nats://127.0.0.1:1", ...shown);
  await auth("add-operator", OPERATOR, "--dir", path);
  for (const name of [...HONEST, ATTACKER]) await auth("add-agent", name, "--dir", path);
  const credsFile = (name: string): string => join(path, "creds", `${name}.creds`);
  return {
    mode: "secured",
    serverConfig: await readFile(join(path, "nats-server.conf"), "utf8"),
    settings: {
      "auth.mode": "accounts",
      "auth.visibility": visibility,
      "nats.creds_file": credsFile("worker"),
      "nats.system_creds_file": credsFile("reports"),
    },
    credsFile,
  };
}
