/** What doctor says of a coordinator that runs: if all is well, if tasks are stuck, and to users of few rights. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { runCli } from "../../support/cli-process.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";
import { diagnose, type Diagnosis, textOf } from "./diagnose.ts";

describe("if-coordinator doctor, for a good coordinator", () => {
  it("finds nothing bad, changes nothing, and ends with 0", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { depends_on: ["a"] });
    await coordinator.ok("sessions.register.s1", { capabilities: ["python"] });
    await coordinator.ok("tasks.create.c", { requires: ["python"] });
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.until("tasks.stats", ({ leases }) => leases === 1);
    const before = await everything(coordinator);
    const { url } = coordinator.server;
    const diagnosis = await diagnose(url);
    assert.deepEqual([diagnosis.code, diagnosis.bad], [0, []], JSON.stringify(diagnosis.findings));
    assert.deepEqual(await everything(coordinator), before);
    const verdicts = new Map(diagnosis.findings.map(({ check, verdict }) => [check, verdict]));
    assert.equal(verdicts.get("disk"), "unchecked");
    assert.equal(verdicts.get("health"), "unchecked");
    const others = [...verdicts].filter(([check]) => check !== "disk" && check !== "health");
    assert.deepEqual([...new Set(others.map(([, verdict]) => verdict))], ["ok"]);

    const { stdout, code } = await runCli([
      "doctor",
      "--nats",
      url,
      "--http",
      "http://127.0.0.1:1",
    ]);
    assert.equal(code, 0);
    assert.match(stdout, /^✔ server version +nats-server \d+\.\d+\.\d+ has no known defect$/m);
    assert.match(stdout, /^✔ leases +1 lease; each belongs to a claim, and each claim has one$/m);
    assert.match(
      stdout,
      /^– disk +sync_interval and the free storage are not known for 127\.0\.0\.1:\d+\n +→ /m,
    );
    assert.match(stdout, /\n0 problems, 0 warnings, 2 not checked\n$/);
  });
});

/** What is stored, and who reads it. */
async function everything({ connection }: TestCoordinator): Promise<object> {
  const jsm = await jetstreamManager(connection);
  const states = [];
  for await (const { config, state } of jsm.streams.list()) {
    states.push([config.name, state.last_seq, state.consumer_count]);
  }
  return states.sort();
}

describe("if-coordinator doctor, for tasks that nobody works on", () => {
  it("finds each cause, and ends with 1", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { lease_grace_ms: 600_000 },
    });
    const write = (key: string, value: object | string): void => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      coordinator.connection.publish(`$KV.${key}`, text);
    };
    await coordinator.ok("tasks.create.waits", { depends_on: ["missing"] });
    await coordinator.ok("tasks.create.hard", { requires: ["gpu", "cuda"] });
    await coordinator.ok("sessions.register.s1", { capabilities: ["gpu"] });
    await coordinator.ok("tasks.create.failed");
    await coordinator.ok("tasks.create.stuck", { depends_on: ["failed"] });
    await coordinator.ok("tasks.claim.failed", { session_id: "s1" });
    await coordinator.ok("tasks.release.failed", {
      session_id: "s1",
      status: "failed",
      retry: false,
    });
    await coordinator.ok("tasks.create.idle");
    const long = { session_id: "s1", attempt: 1, fencing_token: 0, ttl_seconds: 3_600 };
    const claimed = { status: "claimed", claimed_by: "s1", attempt: 1 };
    const claimed_at = new Date(Date.now() - 7_200_000).toISOString();
    write("tasks.unleased", { ...claimed, claimed_at });
    write("tasks.leased", { ...claimed, claimed_at });
    write("leases.1-0.leased", long);
    write("leases.1-0.idle", long);
    write("tasks.egg", { status: "blocked", depends_on: ["hen"] });
    write("tasks.hen", { status: "blocked", depends_on: ["egg"] });
    write("tasks.broken", "{");
    await coordinator.until("tasks.stats", ({ corrupt, leases }) => corrupt === 1 && leases === 2);
    const diagnosis = await diagnose(coordinator.server.url, "--overdue", "1h");
    assert.equal(diagnosis.code, 1);
    assert.deepEqual(diagnosis.bad, [
      ...["not_a_task", "missing_dependency", "cycle", "dead_end", "missing_capability"],
      ...["claim_without_lease", "lease_without_claim", "overdue_claim"],
    ]);
    for (const [code, text] of [
      ["not_a_task", "1 value is not a task: broken"],
      ["missing_dependency", "1 task waits for ids that do not exist: missing (for waits)"],
      ["cycle", "egg -> hen -> egg"],
      ["dead_end", "1 task waits for tasks that failed or were cancelled: failed"],
      ["missing_capability", "no registered session has gpu + cuda (for hard)"],
      ["claim_without_lease", "1 claim without a lease: unleased"],
      ["lease_without_claim", "1 lease without a claim: idle"],
    ] as const) {
      assert.equal(textOf(diagnosis, code), text);
    }
    assert.match(textOf(diagnosis, "overdue_claim"), /leased by s1 for 2h/);
    const cure = diagnosis.findings.find(({ code }) => code === "missing_capability")?.cure;
    assert.match(cure ?? "", /session register <session> --capability gpu --capability cuda/);
  });
});

/** Operators and workers in one account, an agent in another, and a user with few permissions. */
const SECURED = `
jetstream: enabled
no_auth_user: coordinator
accounts {
  COORDINATOR {
    jetstream: enabled
    users: [
      { user: coordinator, password: "c" }
      { user: reader, password: "r", permissions {
        publish { allow: ["tasks.get.>", "tasks.list", "tasks.stats", "$SYS.REQ.USER.INFO"] } } }
      { user: deaf, password: "d", permissions { subscribe { deny: "_INBOX.>" } } }
    ]
    exports: [{ service: "agent.*.tasks.>" }, { service: "agent.*.sessions.>" }, { stream: "task-updates.>" }]
  }
  ALICE {
    users: [{ user: alice, password: "a" }]
    imports: [
      { service: { account: COORDINATOR, subject: "agent.alice.tasks.>" }, to: "tasks.>" }
      { service: { account: COORDINATOR, subject: "agent.alice.sessions.>" }, to: "sessions.>" }
      { stream: { account: COORDINATOR, subject: "task-updates.>" } }
    ]
  }
}`;

describe("if-coordinator doctor, for a user who may not do everything", () => {
  it("says what the user may not do, and checks the rest", async () => {
    await using coordinator = await TestCoordinator.start({ server: { config: SECURED } });
    const { url } = coordinator.server;
    const as = (user: string): Promise<Diagnosis> =>
      diagnose(url, "--user", user, "--password", user.charAt(0));
    const [reader, alice, deaf] = await Promise.all([as("reader"), as("alice"), as("deaf")]);
    assert.deepEqual(
      [reader.code, reader.bad],
      [1, ["request_not_permitted", "some_not_permitted"]],
    );
    assert.match(
      textOf(reader, "request_not_permitted"),
      /may not send tasks\.claim, tasks\.next, tasks\.renew, tasks\.release/,
    );
    assert.match(textOf(reader, "not_permitted"), /the user may not read it/);
    assert.match(textOf(reader, "workers_unseen"), /there may be others/);
    assert.deepEqual([alice.code, alice.bad], [0, []]);
    const permissions = alice.findings.find(({ check }) => check === "permissions");
    assert.match(permissions?.text ?? "", /as an agent, without the operations for operators/);
    assert.match(textOf(alice, "jetstream_elsewhere"), /this account has no JetStream/);
    assert.deepEqual([deaf.code, deaf.bad], [7, ["inbox_refused"]]);
  });
});
