import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { CommandProcess, CommandStartError } from "../../../src/cli/run/command-process.ts";
import { programProblem } from "../../../src/cli/run/find-program.ts";
import { lastLine, lastLines } from "../../../src/cli/run/output-text.ts";
import { pipeIn } from "../../support/named-pipe.ts";
import { TempFolder } from "../../support/temp-folder.ts";

interface Running {
  readonly command: CommandProcess;
  /** Resolves when the standard output matches. */
  readonly wrote: (pattern: RegExp) => Promise<RegExpExecArray>;
}

interface Given {
  readonly input?: string;
  readonly graceMs?: number;
  /** Nobody reads its output. */
  readonly isRead?: boolean;
}

async function start(command: readonly [string, ...string[]], given: Given = {}): Promise<Running> {
  const { input = "", graceMs = 10_000, isRead = true } = given;
  const [stdout, stderr] = [new PassThrough(), new PassThrough().resume()];
  let output = "";
  let wake: () => void = () => undefined;
  if (isRead) {
    stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      wake();
    });
  }
  const started = await CommandProcess.start({
    ...{ command, input, graceMs, stdout, stderr },
    env: process.env,
    passed: () => undefined,
    folder: "/nonexistent",
  });
  return {
    command: started,
    wrote: async (pattern) => {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

const shell = (script: string, given?: Given): Promise<Running> =>
  start(["sh", "-c", script], given);

function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
}

describe("the command of a task", () => {
  it("gets its input, and is remembered by the end of its outputs", async () => {
    const { command } = await shell("cat; echo problem >&2; exit 3", { input: "one\ntwo\n" });
    assert.deepEqual(await command.ended, { code: 3, signal: null });
    assert.equal(lastLine(command.stdout.end)?.text, "two");
    assert.equal(lastLines(command.stderr.end), "problem");
  });

  it("need not read its input, nor be read itself, to write 20 MB", async () => {
    const input = "x".repeat(5_000_000);
    const script = "exec 0<&-; yes | head -c 20000000; echo; echo last";
    const { command } = await shell(script, { input });
    assert.deepEqual(await command.ended, { code: 0, signal: null });
    assert.equal(lastLine(command.stdout.end)?.text, "last");
    assert.ok(command.stdout.end.isCut);
  });

  it("has its last line read even if nobody reads what is passed on", async () => {
    const script = "yes | head -c 60000; echo last";
    const { command } = await shell(script, { isRead: false });
    await command.ended;
    assert.equal(lastLine(command.stdout.end)?.text, "last");
  });

  it("is stopped with everything that it has started", async () => {
    await using folder = await TempFolder.create();
    const pipe = pipeIn(folder);
    // The pipe has its end when the last process that has it open has ended.
    const closed = readFile(pipe);
    const { command, wrote } = await shell(`exec 3>'${pipe}'; sleep 1000 & echo ready; wait`);
    await wrote(/ready/);
    command.stop();
    assert.deepEqual(await command.ended, { code: null, signal: "SIGTERM" });
    await closed;
  });

  it("may end by itself after it was asked to stop", async () => {
    const { command, wrote } = await shell("trap 'exit 7' TERM; echo ready; sleep 1000 & wait");
    await wrote(/ready/);
    command.stop();
    assert.deepEqual(await command.ended, { code: 7, signal: null });
  });

  it("is killed if it does not stop within the grace", async () => {
    const script = "trap '' TERM; echo pid $$; while :; do sleep 1; done";
    const { command, wrote } = await shell(script, { graceMs: 50 });
    await wrote(/pid/);
    command.stop();
    assert.deepEqual(await command.ended, { code: null, signal: "SIGKILL" });
  });

  it("leaves nothing behind in its group, even if that ignores SIGTERM", async () => {
    await using folder = await TempFolder.create();
    const pipe = pipeIn(folder);
    const script = `exec 3>'${pipe}'; (trap '' TERM; echo ready; sleep 1000) & wait`;
    const closed = readFile(pipe);
    const { command, wrote } = await shell(`${script} & sleep 0.1`);
    await wrote(/ready/);
    assert.deepEqual(await command.ended, { code: 0, signal: null });
    await closed;
  });

  it("is not waited for by a process outside its group that keeps its output open", async () => {
    // The command ends when the other process has left its group, and no longer ends with it.
    const script = `import os, time
left, leave = os.pipe()
if os.fork() == 0:
    os.setsid(); os.write(leave, b"1"); print("pid", os.getpid(), flush=True); time.sleep(1000)
os.read(left, 1)`;
    const { command, wrote } = await start(["python3", "-c", script]);
    const [, pid = ""] = await wrote(/pid (\d+)/);
    try {
      assert.deepEqual(await command.ended, { code: 0, signal: null });
      assert.ok(isRunning(pid));
    } finally {
      process.kill(Number(pid), "SIGKILL");
    }
  });

  it("is refused if there is no such program, or it is none", async () => {
    await using folder = await TempFolder.create();
    const text = join(folder.path, "text");
    await writeFile(text, "no program");
    for (const program of ["/nonexistent/program", "no-such-program", text, folder.path]) {
      await assert.rejects(start([program]), CommandStartError);
      assert.match(programProblem(program, "/bin:/usr/bin") ?? "", /^cannot start /);
    }
    assert.equal(programProblem("sh", "/nonexistent:/bin:/usr/bin"), null);
    assert.equal(programProblem("/bin/sh", ""), null);
  });
});
