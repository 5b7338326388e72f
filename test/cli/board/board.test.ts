/** The board in a terminal, fed by a real coordinator. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Terminal, type TerminalOptions, tmuxMissing } from "../../support/terminal.ts";
import { CliProcess } from "../../support/cli-process.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

async function openBoard(
  coordinator: TestCoordinator,
  args: readonly string[] = [],
  options: TerminalOptions = {},
): Promise<Terminal> {
  return Terminal.start(["watch", "--board", "--nats", coordinator.server.url, ...args], options);
}

/** Tasks in every state that the board shows. */
async function fill(coordinator: TestCoordinator): Promise<void> {
  const tasks = [
    { task_id: "P0.1", title: "Write the parser", priority: 3 },
    { task_id: "P0.2", title: "漢字 🎉 \u001B[31mred\u001B[0m", priority: 0 },
    { task_id: "P0.3", title: "Needs a GPU", requires: ["gpu"] },
    { task_id: "P0.4", title: "Held" },
    { task_id: "P0.5", title: "Waits", depends_on: ["P0.1"] },
    { task_id: "P1.1", title: "Another part" },
  ];
  await coordinator.ok("tasks.import", { tasks });
  await coordinator.ok("sessions.register.agent-1", { capabilities: ["python"] });
  await coordinator.ok("tasks.claim.P0.4", { session_id: "agent-1" });
  const progress = { done: 3, total: 10 };
  await coordinator.ok("tasks.renew.P0.4", { session_id: "agent-1", progress });
}

describe("watch --board", { skip: tmuxMissing() }, () => {
  it("shows counts, claims, the ready queue, sessions and events, and follows them", async () => {
    await using coordinator = await TestCoordinator.start();
    await fill(coordinator);
    await using terminal = await openBoard(coordinator, [], { columns: 100, rows: 30 });
    const screen = await terminal.waitFor(/lease 4m\d+s {2}done 3, total 10 {2}Held/);
    assert.match(screen, /^blocked 1 {2}available 4 {2}claimed 1 {2}complete 0/m);
    assert.match(screen, /^CLAIMED 1\nP0\.4 {2}agent-1 +\d+s/m);
    // The most urgent first, then the oldest.
    assert.match(screen, /P0 {2}P0\.2[^\n]*\nP2 {2}P0\.3[^\n]*\nP2 {2}P1\.1[^\n]*\nP3 {2}P0\.1/);
    assert.match(screen, /^READY 4 {2}1 waiting for capabilities$/m);
    assert.match(screen, /P0\.3 {2}needs gpu {2}Needs a GPU/);
    assert.match(screen, /漢字 🎉 ␛\[31mred␛\[0m/);
    assert.match(screen, /^SESSIONS 1\nagent-1 {2}1 task {2}python$/m);
    assert.match(screen, /\d\d:\d\d:\d\d {2}claimed +P0\.4 {2}agent-1/);

    await coordinator.ok("tasks.release.P0.4", { session_id: "agent-1", status: "complete" });
    await coordinator.ok("tasks.claim.P0.1", { session_id: "agent-2" });
    const later = await terminal.waitFor(/completed 1\/min[^]*CLAIMED 1\nP0\.1 {2}agent-2/);
    assert.match(later, /completed +P0\.4 {2}agent-1/);
    await terminal.waitFor(/^blocked 1 {2}available 3 {2}claimed 1 {2}complete 1/m);

    await terminal.press("q");
    assert.deepEqual(await terminal.ended(), { code: 0, isAlternate: false, hasCursor: true });
  });

  it("adapts to the size of the terminal, also when it changes", async () => {
    await using coordinator = await TestCoordinator.start();
    await fill(coordinator);
    await using terminal = await openBoard(coordinator, [], { columns: 40, rows: 12 });
    const narrow = await terminal.waitFor(/^READY 4[^]*^EVENTS/m);
    assert.match(narrow, /^blocked 1 available 4 claimed 1\ncomplete 0/m);
    assert.doesNotMatch(narrow, /SESSIONS/);

    await terminal.resize(140, 20);
    const wide = await terminal.waitFor(/^READY 4 .* CLAIMED 1/m);
    assert.match(wide, /SESSIONS 1/);

    await terminal.resize(70, 10);
    const low = await terminal.waitFor(/^CLAIMED 1\n[^]*^READY 4/m);
    for (const line of low.split("\n")) assert.ok(line.length <= 70, line);
    await terminal.press("C-c");
    assert.deepEqual(await terminal.ended(), { code: 0, isAlternate: false, hasCursor: true });
  });

  it("shows only what the filters allow", async () => {
    await using coordinator = await TestCoordinator.start();
    await fill(coordinator);
    await coordinator.ok("tasks.claim.P0.1", { session_id: "agent-2" });
    const filters = ["--prefix", "P0.", "--session", "agent-2", "--type", "claimed"];
    await using terminal = await openBoard(coordinator, filters);
    const screen = await terminal.waitFor(/CLAIMED 1\nP0\.1 {2}agent-2[^]*claimed {2}P0\.1/);
    assert.match(screen, /^blocked 1 available 2 claimed 2$/m, "counts of the prefix");
    assert.doesNotMatch(screen, /P1\.1|P0\.4|created/);
    assert.match(screen, /^if-coordinator .*prefix P0\. {2}session agent-2/);
  });

  it("says when the connection is lost and when no worker answers, and continues", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const first = await coordinator.addWorkers(1);
    await coordinator.ok("tasks.create.a", { title: "First" });
    await using terminal = await openBoard(coordinator);
    await terminal.waitFor(/READY 1\n/);
    await first.stop();
    await terminal.waitFor(/no answer for \d+s/);
    await coordinator.addWorkers(1);
    await coordinator.ok("tasks.create.b", { title: "Second" });
    await terminal.waitFor(/q quits[^]*READY 2\n[^]*Second/);
    await coordinator.server.stop();
    await terminal.waitFor(/connection lost/);
    await coordinator.server.restart();
    await terminal.waitFor(/q quits[^]*READY 2\n/);
  });

  it("has no colours with NO_COLOR, and leaves the terminal as it was after SIGTERM", async () => {
    await using coordinator = await TestCoordinator.start();
    await fill(coordinator);
    await using coloured = await openBoard(coordinator);
    await using plain = await openBoard(coordinator, [], { env: { NO_COLOR: "1" } });
    await coloured.waitFor(/READY 4/);
    await plain.waitFor(/READY 4/);
    assert.ok((await coloured.styledScreen()).includes("\u001B["));
    assert.ok(!(await plain.styledScreen()).includes("\u001B["));
    await plain.signal("SIGTERM");
    assert.deepEqual(await plain.ended(), { code: 143, isAlternate: false, hasCursor: true });
  });

  it("prints the lines of watch on a terminal that cannot draw", async () => {
    await using coordinator = await TestCoordinator.start();
    const args = ["--since", "beginning"];
    await coordinator.ok("tasks.create.a", { title: "First" });
    await using terminal = await openBoard(coordinator, args, { env: { TERM: "dumb" } });
    await terminal.waitFor(/created +a +available/);
  });
});

describe("watch --board without a terminal", () => {
  it("prints the lines of watch", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { title: "First" });
    const { url } = coordinator.server;
    await using board = new CliProcess(["watch", "--board", "--since", "beginning", "--nats", url]);
    const [line] = await board.waitFor(/.*created.*\n/);
    await using watch = new CliProcess(["watch", "--since", "beginning", "--nats", url]);
    assert.equal((await watch.waitFor(/.*created.*\n/))[0], line);
  });
});
