/**
 * `npm run test:watch -- retry-policy`: compiles what changes, without checking types, and runs the test
 * files with one of the words in their names again when a file that they import has changed.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const words = process.argv.slice(2);
const isHelp = words.includes("--help") || words.includes("-h");
if (isHelp || words.length === 0 || words.some((word) => word.startsWith("-"))) {
  console.error("name the test files to watch by a word: npm run test:watch -- retry-policy");
  process.exit(isHelp ? 0 : 2);
}
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
// Types and declarations are the slow part, and `npm test` checks them.
const options = ["--watch", "--preserveWatchOutput", "--noCheck", "--declaration", "false"];
const compiler = spawn(process.execPath, [tsc, "-p", "tsconfig.json", ...options], {
  stdio: ["ignore", "pipe", "inherit"],
});
compiler.stdout.setEncoding("utf8");
let tests;
compiler.stdout.on("data", (text) => {
  process.stdout.write(text);
  if (tests !== undefined || !text.includes("Watching for file changes")) return;
  tests = spawn(process.execPath, ["dist/scripts/run-tests.js", "--watch", ...words], {
    stdio: "inherit",
  });
  tests.on("exit", (code) => {
    compiler.kill();
    process.exitCode = code ?? 1;
  });
});
// Ctrl-C reaches the tests as well. They end first.
process.on("SIGINT", () => undefined);
