/**
 * Runs the compiled tests: `npm test`, or `npm test -- dev-server claims` for the files whose names
 * contain one of the words. Fails if a test fails or leaves a process or a file behind, and in CI (variable
 * CI) also if a test is skipped. With `--watch`, which `watch-tests.js` sets, a file runs again each time a
 * file that it imports has changed, until Ctrl-C.
 */
import { setMaxListeners } from "node:events";
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../src/config.ts";
import { resolveServerBinary } from "../src/nats-server/server-binary.ts";
import { optionsOrExit, parse } from "./options/command-line.ts";
import { flag } from "./options/kinds.ts";
import { processesOf } from "./test-leftovers.ts";

const TESTS = join(dirname(fileURLToPath(import.meta.url)), "..", "test");
const TIMEOUT_MS = 180_000;

const SCRIPT = {
  name: "npm test",
  does: "Compiles and runs all tests, or the files whose names contain one of the words.",
  words: "words",
  options: { watch: flag("runs the tests again when a file that they import changes") },
};
const { values, words } = optionsOrExit(SCRIPT, (args) => parse(SCRIPT, args));
const { watch } = values;
const files = testFiles();
if (files.length === 0) {
  console.error(`no test file under ${TESTS} has a name with: ${words.join(" ")}`);
  process.exit(1);
}
await prepareServer();
const folder = ownTemporaryFolder();
const { failed, skipped } = await runFiles(files);
const left = await leftovers(folder);
// In watch mode, Ctrl-C can end a test before it has cleaned up.
const problems = watch ? [] : [...left, ...(process.env.CI ? skipped : [])];
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
for (const problem of problems) console.error(`✖ ${problem}`);
process.exitCode = !watch && (failed > 0 || problems.length > 0) ? 1 : 0;

function testFiles(): string[] {
  return readdirSync(TESTS, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.js"))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .sort()
    .map((name) => join(TESTS, name));
}

/** Finds or installs the server once for all test files. Removes all other settings from the environment. */
async function prepareServer(): Promise<void> {
  const notify = (line: string): void => {
    console.error(line);
  };
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify });
  const kept = ["IF_COORDINATOR_CACHE_DIR"];
  for (const name of Object.keys(process.env)) {
    // process.env turns undefined into a text, so only delete unsets a variable.
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
    if (name.startsWith("IF_COORDINATOR_") && !kept.includes(name)) delete process.env[name];
  }
  if (binary !== "nats-server") process.env.IF_COORDINATOR_NATS_SERVER = binary;
}

/** A temporary folder for all tests, so that leftovers can be found. */
function ownTemporaryFolder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "if-coordinator-test-")));
  for (const name of ["TMPDIR", "TMP", "TEMP"]) process.env[name] = path;
  // Newer versions of Node and npm keep compiled code there.
  process.env.NODE_DISABLE_COMPILE_CACHE = "1";
  return path;
}

/** @returns the number of failed tests, and a line for each skipped test */
async function runFiles(paths: string[]): Promise<{ failed: number; skipped: string[] }> {
  const interrupted = new AbortController();
  // Each test file adds a listener.
  setMaxListeners(0, interrupted.signal);
  process.once("SIGINT", () => {
    interrupted.abort();
  });
  let failed = 0;
  const skipped: string[] = [];
  const events = run({
    files: paths,
    watch,
    // Tests wait for servers more than they use the processor.
    concurrency: Math.max(2, availableParallelism()),
    timeout: watch ? Infinity : TIMEOUT_MS,
    signal: interrupted.signal,
  });
  events.on("test:fail", () => failed++);
  events.on("test:pass", ({ name, file, skip }) => {
    if (skip === undefined || skip === false) return;
    const where = file === undefined ? "" : ` (${relative(TESTS, file)})`;
    skipped.push(`skipped${where}: ${name}: ${skip === true ? "no reason given" : skip}`);
  });
  const report = events.compose(new spec()) as AsyncIterable<string>;
  for await (const text of report) process.stdout.write(text);
  return { failed, skipped };
}

async function leftovers(folder: string): Promise<string[]> {
  const running = await processesOf(folder);
  for (const { pid } of running) process.kill(pid, "SIGKILL");
  return [
    ...running.map(({ commandLine }) => `left a process behind: ${commandLine}`),
    ...readdirSync(folder).map((name) => `left behind in the temporary folder: ${name}`),
  ];
}
