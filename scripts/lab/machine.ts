/** The machine on which something was measured. */
import { execFile } from "node:child_process";
import { availableParallelism, cpus, totalmem } from "node:os";
import { promisify } from "node:util";
import { VERSION } from "../../src/version.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly platform: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** @param binaries of the servers whose versions matter, by name */
export async function describeMachine(
  binaries: Readonly<Record<string, string>>,
): Promise<Machine> {
  const servers = await Promise.all(
    Object.entries(binaries).map(
      async ([name, binary]) => [name, await versionOf(binary)] as const,
    ),
  );
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    versions: {
      "if-coordinator": VERSION,
      node: process.versions.node,
      ...Object.fromEntries(servers),
    },
  };
}

/** The number in what the program prints for `--version`. */
export async function versionOf(binary: string): Promise<string> {
  const { stdout } = await promisify(execFile)(binary, ["--version"]);
  return /\d+(\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim();
}
