/** The script for accounts of nsc, with the real nsc or with a stand-in that records how it is called. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { PATH_WITH_NATS } from "./nats-cli.ts";
import { ROOT } from "./markdown.ts";

const run = promisify(execFile);
const SCRIPT = join(ROOT, "config/nsc-accounts.sh");

/** Why the real nsc cannot be used here; `false` if it can. */
export function nscMissing(): string | false {
  try {
    const env = { ...process.env, PATH: PATH_WITH_NATS };
    execFileSync("nsc", ["--version"], { env, stdio: "ignore" });
    return false;
  } catch {
    return "needs nsc: https://github.com/nats-io/nsc#install";
  }
}

/** Runs the script in the folder. What nsc keeps is in the folder, too. */
export class NscFolder {
  readonly path: string;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #path: string;

  constructor(
    path: string,
    variables: Readonly<Record<string, string>> = {},
    programs: readonly string[] = [],
  ) {
    this.path = path;
    this.#variables = variables;
    this.#path = [...programs, PATH_WITH_NATS].join(delimiter);
  }

  /** @returns what it prints. Rejects if it fails. */
  async run(...words: string[]): Promise<string> {
    const { stdout, stderr } = await run("sh", [SCRIPT, ...words], {
      cwd: this.path,
      env: {
        PATH: this.#path,
        HOME: this.path,
        XDG_CONFIG_HOME: join(this.path, "config"),
        XDG_DATA_HOME: join(this.path, "data"),
        ...this.#variables,
      },
    });
    return stdout + stderr;
  }

  file(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** The signed account, as the real nsc keeps it. */
  account(name: string): Promise<string> {
    const store = ["data", "nats", "nsc", "stores", "if-coordinator", "accounts"];
    return readFile(this.file(...store, name, `${name}.jwt`), "utf8");
  }
}

/** One call of nsc: `add export --service --subject a` has the command `add export` and two options. */
export interface NscCall {
  readonly command: string;
  /** An option without a value has `true`. */
  readonly options: Readonly<Record<string, string | true>>;
}

/** A program `nsc` that does nothing but record its calls. */
export class RecordingNsc {
  /** To be the first of the PATH. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param folder a new one */
  static async create(folder: string): Promise<RecordingNsc> {
    await mkdir(folder);
    const log = join(folder, "calls");
    await writeFile(log, "");
    const program = `#!/bin/sh\n{ printf '%s\\037' "$@"; echo; } >>'${log}'\n`;
    await writeFile(join(folder, "nsc"), program, { mode: 0o755 });
    return new RecordingNsc(folder);
  }

  calls(): NscCall[] {
    const lines = readFileSync(join(this.folder, "calls"), "utf8").trimEnd().split("\n");
    return lines.map((line) => callOf(line.split("\u001f").slice(0, -1)));
  }
}

function callOf(words: readonly string[]): NscCall {
  const isOption = (word: string | undefined): boolean => word?.startsWith("--") === true;
  const first = words.findIndex(isOption);
  const options: Record<string, string | true> = {};
  words.forEach((word, i) => {
    if (!isOption(word)) return;
    const [name = "", assigned] = word.slice("--".length).split("=");
    const next = words[i + 1];
    options[name] = assigned ?? (next === undefined || isOption(next) ? true : next);
  });
  return { command: words.slice(0, first === -1 ? undefined : first).join(" "), options };
}
