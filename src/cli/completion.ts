/**
 * `if-coordinator completion`: prints the script with which a shell completes the command line. The script calls
 * `if-coordinator completion complete -- <words>` for each Tab.
 */
import type { Command } from "commander";
import type { CommandTable } from "./command-entry.ts";
import { write } from "./shared/data.ts";
import { UsageError } from "./shared/errors.ts";
import { addExamples } from "./shared/help.ts";

const NAME = "if-coordinator";
const SHELLS = ["bash", "zsh", "fish"];
/** In place of a shell: what the scripts ask for. */
const COMPLETE = "complete";

/** How the scripts know whether file names fit: a bit mask after the candidates. */
const ONLY_CANDIDATES = ":4";
const ALSO_FILES = ":0";

export function define(command: Command, table: CommandTable): void {
  command
    .usage("<bash | zsh | fish>")
    .argument("<shell>", `the shell: ${SHELLS.join(", ")}`)
    .argument("[words...]", "what was typed, for the scripts themselves")
    .action((shell: string, words: readonly string[]) => completion(shell, words, table));
  addExamples(command, [
    "echo 'source <(if-coordinator completion bash)' >> ~/.bashrc",
    "completion zsh > ~/.zfunc/_if-coordinator  # a folder of $fpath",
    "completion fish > ~/.config/fish/completions/if-coordinator.fish",
  ]);
}

async function completion(
  shell: string,
  words: readonly string[],
  table: CommandTable,
): Promise<void> {
  if (shell === COMPLETE) await printCandidates(words, table);
  else if (shell === "bash") await write((await import("./completion/bash-script.ts")).BASH_SCRIPT);
  else if (SHELLS.includes(shell)) {
    const { script } = await import("@bomb.sh/tab");
    script(shell, NAME, `${NAME} completion`);
  } else throw new UsageError(`no completion for "${shell}": use ${SHELLS.join(", ")}`);
}

async function printCandidates(words: readonly string[], table: CommandTable): Promise<void> {
  const [{ complete }, { lookUp }] = await Promise.all([
    import("./completion/complete.ts"),
    import("./completion/look-up.ts"),
  ]);
  const candidates = await complete(words, table, lookUp);
  // zsh would list an empty description as a candidate of its own.
  const lines = (candidates ?? []).map(({ value, description }) =>
    description === "" ? value : `${value}\t${description}`,
  );
  await write(`${[...lines, candidates === null ? ALSO_FILES : ONLY_CANDIDATES].join("\n")}\n`);
  // A server that has not answered in time must not keep the shell waiting.
  process.exit(0);
}
