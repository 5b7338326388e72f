/**
 * Runs the commands of the documentation in order, with the real `nats` and `if-coordinator` and a coordinator
 * for each document, and compares the output with the output in the documentation.
 *
 * The block after a command shows its output: `json` is a part of one of the replies, `text` has parts of lines
 * in order. If the block does not show a refusal, every reply must be a success. A comment above a command that
 * does not succeed names its exit code: `exit code 3`.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Cleanup } from "../src/cleanup.ts";
import { type CodeBlock, codeBlocks, documents, read, ROOT } from "./support/markdown.ts";
import { hasLines, matches } from "./support/matching.ts";
import { installServer, natsCliMissing, Shell } from "./support/nats-cli.ts";
import { takePort } from "../scripts/lab/ports.ts";
import { serverBinary } from "./support/nats-server.ts";
import { TempFolder } from "./support/temp-folder.ts";
import { TestCoordinator } from "./support/test-coordinator.ts";

const PATIENCE_MS = 15_000;

/** test/tour.test.ts plays it, with a coordinator that its first command starts. */
const TOUR = "docs/tour.md";

/** Its commands start a server and a worker of their own. */
const OWN_SERVER = "docs/security.md";

/** The comment above a command that does not end by itself. */
const ENDLESS = "runs until it is stopped";

/** Commands that are not run here, and where they are tested. */
const RUN_ELSEWHERE: readonly { readonly command: RegExp; readonly test: string }[] = [
  { command: /^npm ci && npm start$/m, test: "test/cli/dev.test.ts" },
  { command: /^npm ci && npm test$/m, test: ".ci/run" },
  { command: /^npm run check$/m, test: ".ci/run" },
  { command: /^npm install \.\.\/if-coordinator$/m, test: "test/package.test.ts" },
  { command: /^npm run demo\b/m, test: "test/simulation/simulate.test.ts" },
  { command: /^npm run chaos\b/m, test: "test/chaos/run.test.ts" },
  { command: /^npm run soak\b/m, test: "test/soak/run.test.ts" },
  { command: /^npm run recovery\b/m, test: "test/recovery/recovery.test.ts" },
  { command: /^npm run power-loss\b/m, test: "test/power-loss/run.test.ts" },
  { command: /^npm run bench\b/m, test: ".ci/run" },
  { command: /^npx if-coordinator serve\b/m, test: "test/cli/serve.test.ts" },
  {
    command: /^sh node_modules\/if-coordinator\/config\/nsc-accounts\.sh\b/m,
    test: "test/auth/nsc-accounts.test.ts",
  },
  // There is no Docker in CI. A test checks the form of the file and its command.
  { command: /^docker compose\b/m, test: "test/docs/deployment.test.ts" },
];

/** A command and the block that shows its output. */
interface Example {
  readonly command: CodeBlock;
  readonly shown: CodeBlock | undefined;
}

for (const path of documents().filter((path) => path !== TOUR)) {
  const examples = examplesOf(read(path)).filter(({ command }) => isRunHere(command));
  if (examples.length === 0) continue;
  describe(`the commands of ${path}`, { skip: natsCliMissing() }, () => {
    it("have the output that the document shows, in order", async () => {
      await using home = await TempFolder.create();
      await using endless = new Cleanup();
      const shell = new Shell(await natsUrlFor(path, endless), home.path);
      if (path === OWN_SERVER) installServer(home.path, await serverBinary());
      const checks: (() => Promise<void>)[] = [];
      for (const { command, shown } of examples) {
        if (command.comment === ENDLESS) {
          const running = endless.use(shell.start(command.text));
          // `nats sub` prints a line when it listens.
          await running.waitFor((output) => output !== "", PATIENCE_MS);
          checks.push(() => running.waitFor((output) => fits(output, shown), PATIENCE_MS));
          continue;
        }
        const { code, stdout, stderr } = await shell.run(command.text);
        const where = `${path}:${command.line}:\n${command.text}\n${stdout}${stderr}`;
        assert.equal(code, exitCodeOf(command), where);
        assert.ok(fits(stdout, shown), `${where}\ndoes not show\n${shown?.text ?? ""}`);
        const refused = repliesIn(stdout).filter((reply) => !matches(reply, { ok: true }));
        assert.equal(refused.length, showsRefusal(shown) ? 1 : 0, where);
      }
      for (const check of checks) await check();
    });
  });
}

describe("the commands of the documentation", () => {
  it("are all run, here or elsewhere", () => {
    const neither = documents()
      .flatMap((path) => codeBlocks(read(path)).map((block) => ({ path, block })))
      .filter(({ path, block }) => path !== TOUR && block.language === "sh" && !isRunHere(block))
      .filter(({ block }) => !RUN_ELSEWHERE.some(({ command }) => command.test(block.text)));
    assert.deepEqual(neither, []);
    assert.deepEqual(
      RUN_ELSEWHERE.filter(({ test }) => !existsSync(join(ROOT, test))),
      [],
    );
  });

  it("start with the command that runs the tests, word for word", () => {
    assert.match(read("README.md"), /^npm ci && npm test$/m);
    assert.match(read(".ci/run"), /^npm ci && npm test\b/m);
  });
});

describe("the agent of the README", () => {
  it("is examples/agent.ts", () => {
    const [block] = codeBlocks(read("README.md")).filter(({ language }) => language === "ts");
    const [, program = ""] = /^\/\*\*[^\n]*\n(.*)$/s.exec(read("examples/agent.ts")) ?? [];
    assert.equal(block?.text, program.trimEnd());
  });

  it("works until everything is complete, dependencies first", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.b", { title: "Second", depends_on: ["a"] });
    await coordinator.ok("tasks.create.a", { title: "First" });
    const { stdout } = await promisify(execFile)(process.execPath, ["dist/examples/agent.js"], {
      cwd: ROOT,
      env: { ...process.env, NATS_URL: coordinator.server.url },
    });
    assert.equal(stdout, "a: First\nb: Second\n");
    const { tasks } = await coordinator.ok("tasks.list", { status: "complete" });
    assert.deepEqual(
      tasks.map(({ result }: { result: string }) => result),
      ['did "Second"', 'did "First"'],
    );
  });
});

/** Where the commands of the document find NATS. */
async function natsUrlFor(path: string, cleanup: Cleanup): Promise<string> {
  if (path === OWN_SERVER) return `nats://127.0.0.1:${await takePort()}`;
  return cleanup.use(await TestCoordinator.start()).server.url;
}

function examplesOf(markdown: string): Example[] {
  const blocks = codeBlocks(markdown);
  return blocks.flatMap((command, i) => {
    if (command.language !== "sh") return [];
    const next = blocks[i + 1];
    const isShown = next?.language === "json" || next?.language === "text";
    return [{ command, shown: isShown ? next : undefined }];
  });
}

function isRunHere({ text }: CodeBlock): boolean {
  return /^(nats|nats-server|if-coordinator) |\| nats /m.test(text);
}

function exitCodeOf({ comment = "" }: CodeBlock): number {
  return Number(/^exit code (\d+)$/.exec(comment)?.[1] ?? 0);
}

function fits(output: string, shown: CodeBlock | undefined): boolean {
  if (shown === undefined) return true;
  if (shown.language === "text") return hasLines(output, shown.text);
  const expected: unknown = JSON.parse(shown.text);
  return repliesIn(output).some((reply) => matches(reply, expected));
}

function showsRefusal(shown: CodeBlock | undefined): boolean {
  return shown?.language === "json" && matches(JSON.parse(shown.text), { ok: false });
}

/** The replies of the coordinator: one on each line, or one that is the whole output. */
function repliesIn(output: string): unknown[] {
  if (output.startsWith('{\n  "ok":')) return [JSON.parse(output)];
  return output
    .split("\n")
    .filter((line) => line.startsWith('{"ok":'))
    .map((line) => JSON.parse(line) as unknown);
}
