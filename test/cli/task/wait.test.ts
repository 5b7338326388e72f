/** `task wait` against a real coordinator, through a proxy that shows what the command asks. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type CliExit, CliProcess, runCli } from "../../support/cli-process.ts";
import { NatsProxy } from "../../support/nats-proxy.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

const HOLDER = { session_id: "session-1" };

describe("task wait", () => {
  it("ends at once if the condition holds already, or can no longer hold", async () => {
    await using coordinator = await TestCoordinator.start();
    const wait = (...args: string[]): Promise<CliExit> =>
      runCli(["task", "wait", "--nats", coordinator.server.url, ...args]);
    await complete(coordinator, "P0.1");
    await coordinator.ok("tasks.create.P0.2");
    await coordinator.ok("tasks.cancel.P0.2");
    await coordinator.ok("tasks.create.P1.1");
    await coordinator.ok("tasks.claim.P1.1", HOLDER);

    const successes: [args: string[], sentence: string][] = [
      [["P0.1"], "P0.1 is complete\n"],
      [["P0.1", "P0.2", "P0.1"], "2 tasks are finished: 1 complete, 1 cancelled\n"],
      [["--prefix", "P0."], "every task that begins with P0. is finished\n"],
      [["--all", "--any", "--for", "claimed"], "a task is claimed\n"],
    ];
    const exits = await Promise.all(successes.map(([args]) => wait(...args)));
    assert.deepEqual(
      exits,
      successes.map(([, sentence]) => success(sentence)),
    );

    const never = await wait("P0.1", "P0.2", "--for", "complete");
    assert.deepEqual([never.code, never.stdout], [1, ""]);
    assert.match(never.stderr, /not every task can become complete now: P0\.2 \(cancelled\)\n$/);
    const group = await wait("--prefix", "P0.", "--for", "status=complete", "--json");
    assert.equal(group.code, 1);
    const document = JSON.parse(group.stdout);
    assert.deepEqual(
      [document.outcome, document.statuses, document.tasks[0]?.task_id],
      ["ended_otherwise", ["complete"], "P0.2"],
    );
    assert.equal(JSON.parse(group.stderr).error.code, "failed");

    const late = await wait("P1.1", "P0.1", "--timeout", "0");
    assert.deepEqual([late.code, late.stdout], [8, ""]);
    assert.match(
      late.stderr,
      /timed out after 0s: not finished yet: P1\.1 \(claimed by session-1\)/,
    );
    assert.match(late.stderr, /task why P1\.1 says why/);

    const many = Array.from({ length: 120 }, (_, i) => ({ task_id: `many.${i}` }));
    await coordinator.ok("tasks.import", { tasks: many });
    const open = await wait("--all", "--timeout", "10ms");
    assert.equal(open.code, 8);
    assert.match(open.stderr, /many\.3 \(available\) and more than 95 more\. /);
    await coordinator.ok("tasks.cancel.many.119");
    const hopeless = await wait("--prefix", "many.", "--for", "complete");
    assert.equal(hopeless.code, 1);
    assert.match(hopeless.stderr, /can become complete now: many\.119 \(cancelled\)\n$/);

    const failures: [args: string[], code: number][] = [
      [["nowhere"], 6],
      [["--prefix", "nowhere"], 6],
      [[], 2],
      [["P0.1", "--all"], 2],
      [["P0.1", "--for", "done"], 2],
      [["*"], 2],
    ];
    const failed = await Promise.all(failures.map(([args]) => wait(...args)));
    assert.deepEqual(
      failed.map(({ code, stdout }) => [code, stdout]),
      failures.map(([, code]) => [code, ""]),
    );
  });

  it("waits for tasks that change, are created and are removed meanwhile", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    const wait = (...args: string[]): CliProcess =>
      new CliProcess(["task", "wait", "--nats", proxy.url, ...args]);
    for (const id of ["a", "b", "g.1", "g.2"]) await coordinator.ok(`tasks.create.${id}`);

    const reading = proxy.untilClientSays("tasks.get.b");
    await using both = wait("a", "b", "--for", "complete", "--json");
    await using first = wait("a", "b", "--any");
    await seen(reading, both, first);
    await complete(coordinator, "a");
    assert.deepEqual(await first.exited, success("a is complete\n"));
    await complete(coordinator, "b");
    const { code, stdout } = await both.exited;
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).tasks, [
      { task_id: "a", status: "complete", claimed_by: null },
      { task_id: "b", status: "complete", claimed_by: null },
    ]);

    const listing = proxy.untilClientSays("tasks.list");
    await using group = wait("--prefix", "g.");
    await using created = wait("c", "--await-creation", "--for", "claimed");
    await using hopeless = wait("g.1", "--for", "complete");
    await seen(listing, group);
    await coordinator.ok("tasks.create.g.3");
    await coordinator.ok("tasks.cancel.g.1");
    await coordinator.ok("tasks.create.c");
    await coordinator.ok("tasks.claim.c", HOLDER);
    assert.equal((await hopeless.exited).code, 1);
    assert.deepEqual(await created.exited, success("c is claimed\n"));
    await complete(coordinator, "g.2");
    await complete(coordinator, "g.3");
    assert.deepEqual(await group.exited, success("every task that begins with g. is finished\n"));

    await coordinator.ok("tasks.create.d");
    const readingD = proxy.untilClientSays("tasks.get.d");
    await using removed = wait("d");
    await seen(readingD, removed);
    await (await new Kvm(coordinator.connection).open("tasks")).purge("d");
    assert.equal((await removed.exited).code, 6);
  });

  it("sees what happens while the connection is lost", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await coordinator.ok("tasks.create.a");
    const reading = proxy.untilClientSays("tasks.get.a");
    const listing = proxy.untilClientSays("tasks.list");
    await using one = new CliProcess(["task", "wait", "a", "--nats", proxy.url]);
    await using all = new CliProcess(["task", "wait", "--all", "--nats", proxy.url]);
    await seen(Promise.all([reading, listing]), one, all);
    proxy.cut();
    await Promise.all([one.waitFor(/connecting again/), all.waitFor(/connecting again/)]);
    await complete(coordinator, "a");
    proxy.mend();
    assert.equal((await one.exited).code, 0);
    assert.equal((await all.exited).code, 0);
  });

  it("ends with Ctrl-C, and says that no coordinator is there", async () => {
    await using coordinator = await TestCoordinator.start();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await coordinator.ok("tasks.create.a");
    const reading = proxy.untilClientSays("tasks.get.a");
    await using waiting = new CliProcess(["task", "wait", "a", "--nats", proxy.url]);
    await seen(reading, waiting);
    waiting.interrupt();
    const { code, signal, stdout, stderr } = await waiting.exited;
    assert.ok(code === 130 || signal === "SIGINT");
    assert.deepEqual([stdout, stderr], ["", ""]);
    const nobody = await runCli(["task", "wait", "a", "--nats", "nats://127.0.0.1:1"]);
    assert.equal(nobody.code, 7);
  });
});

/** Waits for what the proxy sees, but not longer than the commands run. */
async function seen(sight: Promise<unknown>, ...commands: readonly CliProcess[]): Promise<void> {
  const ends = commands.map(async (command) => {
    assert.fail(`ended too early: ${JSON.stringify(await command.exited)}`);
  });
  await Promise.race([sight, ...ends]);
  // They end later, when nobody waits for that here.
  for (const end of ends) end.catch(() => undefined);
}

async function complete(coordinator: TestCoordinator, id: string): Promise<void> {
  const { error } = await coordinator.request(`tasks.create.${id}`);
  assert.ok(error === undefined || error.code === "already_exists");
  await coordinator.ok(`tasks.claim.${id}`, HOLDER);
  await coordinator.ok(`tasks.release.${id}`, { ...HOLDER, status: "complete" });
}

function success(stdout: string): CliExit {
  return { code: 0, signal: null, stdout, stderr: "" };
}
