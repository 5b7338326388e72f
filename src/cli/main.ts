#!/usr/bin/env node
/** The program. Before it loads the command line, it tells Node to keep the compiled modules. */
import module from "node:module";

// Node 22.1 and newer have it. A command then needs a tenth less time to start.
(module as Partial<Record<"enableCompileCache", () => unknown>>).enableCompileCache?.();
const args = process.argv.slice(2);
if (!(await isAnsweredHook())) {
  const { runCommandLine } = await import("./command-line.ts");
  await runCommandLine(args);
}

async function isAnsweredHook(): Promise<boolean> {
  if (args[0] !== "hook") return false;
  const { answersHook } = await import("./hook/quick-answer.ts");
  return await answersHook(args);
}
