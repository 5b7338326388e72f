import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { Workload } from "../../scripts/lab/workload.ts";
import type { ProofDocument } from "../../src/cli/prove/document.ts";
import { RULE_NAMES, type RuleName } from "../../src/history/rules.ts";
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import { encodeTask } from "../../src/protocol/task-record.ts";
import type { Task, TaskEvent } from "../../src/task/task.ts";
import { type CliExit, runCli } from "../support/cli-process.ts";
import { makeBuckets } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { SyntheticHistory } from "../simulation/synthetic-history.ts";

const EXPECTED = "Nats-Expected-Last-Subject-Sequence";

/** A change of the last record of a task, which breaks a rule. */
interface Forgery {
  readonly taskId: string;
  readonly change?: (task: Task) => Task;
  readonly headers?: Record<string, string>;
}

function lastOf(entries: readonly RecordedEntry[], taskId: string): RecordedEntry | undefined {
  return entries.findLast((entry) => entry.taskId === taskId);
}

/** A bucket without workers, into which a test writes what it wants. */
class Bucket implements AsyncDisposable {
  readonly server: TestServer;

  #connection: Promise<NatsConnection> | null = null;

  private constructor(server: TestServer) {
    this.server = server;
  }

  static async create(history = 16): Promise<Bucket> {
    const bucket = new Bucket(await TestServer.start());
    const jsm = await jetstreamManager(await bucket.server.connect());
    await makeBuckets(jsm, { history, replicas: 1 });
    return bucket;
  }

  /** As `nats kv put` does it, and with these headers. */
  async put(key: string, value: Task | string, given: Record<string, string> = {}): Promise<void> {
    const all = headers();
    for (const [name, text] of Object.entries(given)) all.set(name, text);
    const text = typeof value === "string" ? value : JSON.stringify(encodeTask(value));
    const connection = await this.#connected();
    const reply = await connection.request(`$KV.tasks.${key}`, text, {
      timeout: 10_000,
      headers: all,
    });
    assert.equal(reply.json<{ error?: unknown }>().error, undefined, key);
  }

  /** Everything that the history has, with its revisions. What is forged does not look like a worker's. */
  async write({ entries }: SyntheticHistory, forgeries: readonly Forgery[] = []): Promise<void> {
    for (const entry of entries) {
      const { taskId, task, replaces } = entry;
      assert.ok(task !== null);
      const forgery = forgeries.find((one) => entry === lastOf(entries, one.taskId));
      const byWorker = { [EXPECTED]: String(replaces), "Write-Id": taskId };
      await this.put(
        taskId,
        forgery?.change?.(task) ?? task,
        forgery === undefined ? byWorker : (forgery.headers ?? {}),
      );
    }
  }

  async prove(...args: readonly string[]): Promise<{ code: number | null; found: ProofDocument }> {
    const { code, stdout, stderr } = await runCli([
      ...["prove", "--nats", this.server.url, "--json", ...args],
    ]);
    assert.equal(stderr, "");
    return { code, found: JSON.parse(stdout) as ProofDocument };
  }

  #connected(): Promise<NatsConnection> {
    this.#connection ??= this.server.connect();
    return this.#connection;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

/** Each violation as `task revision rule: what`. */
function violations({ violations: all }: ProofDocument): string[] {
  return all.map(({ task_id, revision, rule, what }) => `${task_id} ${revision} ${rule}: ${what}`);
}

function withEvent(task: Task, change: Partial<TaskEvent>): Task {
  return { ...task, lastEvent: task.lastEvent && { ...task.lastEvent, ...change } };
}

describe("if-coordinator prove", () => {
  it("names the break of each rule in a forged history", async () => {
    await using bucket = await Bucket.create();
    const history = new SyntheticHistory();
    history.create("holders").claim("holders", "s1").release("holders", "available");
    history.claim("holders", "s2").create("attempts").claim("attempts", "s1");
    history.create("tokens").claim("tokens", "s1").create("newest").claim("newest", "s1");
    history.ask("newest").create("chain").claim("chain", "s1");
    history.create("moves").claim("moves", "s1").release("moves", "available");
    history.create("holder").claim("holder", "s1").release("holder", "complete");
    history.create("twice").claim("twice", "s1").release("twice", "complete");
    history.write(withEvent(history.task("twice"), { timestamp: 0, sessionId: "s2" }));
    history.create("lease").claim("lease", "s1").expire("lease");
    history.create("dependency").create("early", ["dependency"]).unblock("early");
    history.claim("early", "s2").create("done", [], "complete").create("waits", ["done"]);
    history.create("last").claim("last", "s1");
    await bucket.write(history, [
      { taskId: "holders", change: (task) => ({ ...task, attempt: 1 }) },
      { taskId: "attempts", change: (task) => ({ ...task, attempt: 7 }) },
      { taskId: "tokens", change: (task) => ({ ...task, fencingToken: 1 }) },
      { taskId: "chain", change: (task) => withEvent(task, { oldStatus: "blocked" }) },
      { taskId: "moves", change: (task) => ({ ...task, failures: 1 }) },
      { taskId: "holder", change: (task) => withEvent(task, { sessionId: "s9" }) },
      { taskId: "twice" },
      // NATS compares the revision with that of another task.
      {
        taskId: "newest",
        headers: {
          ...{
            "Write-Id": "forged",
            [EXPECTED]: "4",
            [`${EXPECTED}-Subject`]: "$KV.tasks.holders",
          },
        },
      },
    ]);
    const { code, found } = await bucket.prove("--grace", "0");
    assert.equal(code, 1);
    const all = violations(found);
    for (const expected of [
      "holders 4 one_holder_per_attempt: attempt 1 of s1 is held by s2",
      "holders 4 attempts_grow: the attempt is 1 where 2 is due",
      "attempts 6 attempts_grow: the attempt is 7 where 1 is due",
      "tokens 8 tokens_grow: the fencing token is 1 where 7 is due",
      "newest 11 newest_replaced: it replaced revision 4, although 10 was there",
      "chain 13 events_chain: task_claimed comes from blocked, but the task was available",
      "holder 19 holder_only: s9 completed attempt 1, held by s1",
      "twice 23 completed_once: completed again by s2, after revision 22",
      "twice 23 moves_allowed: task_completed is not allowed while the task is complete",
      "early 30 dependencies_first: claimed before dependency was complete",
      "early 30 claims_leased: is claimed by s2 (attempt 1) without a lease",
      "waits 32 dependents_follow: is still blocked, though all of its dependencies are complete",
    ]) {
      assert.ok(all.includes(expected), `${expected}\n\nis not among\n\n${all.join("\n")}`);
    }
    assert.ok(all.some((one) => one.startsWith("moves 16 moves_allowed: task_released makes it")));
    assert.ok(all.some((one) => /^lease 26 leases_last: .* expired after \d+ ms$/.test(one)));
    const broken = new Set(found.rules.filter((one) => one.violations > 0).map(({ rule }) => rule));
    assert.deepEqual([...broken], RULE_NAMES satisfies readonly RuleName[]);
    assert.equal(found.violations[0]?.written_by, "hand");

    const args = ["prove", "--nats", bucket.server.url, "--limit", "2"];
    const { stdout } = await runCli([...args, "--grace", "0"]);
    assert.match(
      stdout,
      /^ {2}✘ no attempt had two holders \(one_holder_per_attempt: \d+ checked, 1 /m,
    );
    assert.match(stdout, /^holders +4 +\S+Z +s2 +one_holder_per_attempt +.*\(written by hand\)$/m);
    assert.match(stdout, /^and \d+ more/m);
    // With the usual patience, claims without a lease and the blocked task may still be cared for.
    const patient = await bucket.prove("--prefix", "wait");
    assert.deepEqual([patient.code, patient.found.violations], [0, []]);
    assert.deepEqual(patient.found.unchecked_tasks, [
      { task_id: "waits", rules: ["dependents_follow"] },
    ]);
    const one = await bucket.prove("--task", "early");
    assert.deepEqual(violations(one.found), [
      "early 30 dependencies_first: claimed before dependency was complete",
    ]);
  });

  it("finds nothing in a bucket that sessions use, however little history it keeps", async () => {
    for (const history of [64, 2]) {
      const settings = { history, "retry.base_ms": 100, "retry.max_ms": 500 };
      await using coordinator = await TestCoordinator.start({ workers: 2, settings });
      const urls = [coordinator.server.url];
      await using workload = await Workload.start({ urls, sessions: 10, seed: 1, openTasks: 12 });
      const prove = async (): Promise<ProofDocument> => {
        const { code, stdout } = await runCli(["prove", "--nats", ...urls, "--json"]);
        const found = JSON.parse(stdout) as ProofDocument;
        assert.deepEqual([code, violations(found)], [0, []]);
        return found;
      };
      for (const id of ["first", "second", "third"]) {
        // The sessions of the workload rarely let a lease expire.
        await coordinator.ok(`tasks.create.${id}`, { requires: ["patience"] });
        const expired = coordinator.fact("lease_expired", ({ taskId }) => taskId === id);
        const claim = { session_id: "absent", capabilities: ["patience"], ttl_seconds: 1 };
        await coordinator.ok(`tasks.claim.${id}`, claim);
        await expired;
        await prove();
      }
      await workload.end();
      const found = await prove();
      assert.ok(found.sessions > 5);
      assert.equal(found.missing_revisions > 0, history === 2);
      assert.equal(found.trimmed_tasks > 0, history === 2);
      const moves = found.rules.find(({ rule }) => rule === "moves_allowed");
      assert.ok((moves?.checked ?? 0) > 30);
      assert.equal((moves?.unchecked ?? 0) > 0, history === 2);
    }
  });

  it("accepts records by hand, removed tasks and values that are not tasks, and says so", async () => {
    await using bucket = await Bucket.create();
    await bucket.put("by-hand", '{"title":"Written by hand"}');
    await bucket.put("broken", "no JSON");
    await bucket.put(
      "imported",
      new SyntheticHistory().create("imported", [], "complete").task("imported"),
    );
    await bucket.put("by-hand", "", { "KV-Operation": "DEL" });
    await bucket.put("by-hand", '{"title":"Again"}');
    const { code, found } = await bucket.prove();
    assert.equal(code, 0);
    assert.deepEqual([found.tasks, found.removals, found.written_by_hand], [2, 1, 3]);
    assert.deepEqual(found.not_tasks, [
      { task_id: "broken", revision: 2, problem: "the value is not JSON" },
    ]);
    const { stdout } = await runCli(["prove", "--nats", bucket.server.url]);
    assert.match(stdout, /^ {2}– every claimed task has a lease|✔ every claimed task/m);
    assert.match(stdout, /1 value cannot be read as a task, such as revision 2 of broken/);
    assert.match(stdout, /nothing breaks a rule/);
  });

  it("says why it cannot read the history", async () => {
    const none = await runCli(["prove", "--nats", "nats://127.0.0.1:1"]);
    assert.equal(none.code, 7);
    const config = `
jetstream: enabled
no_auth_user: admin
accounts { ONE { jetstream: enabled, users: [
  { user: admin, password: secret }
  { user: alice, password: secret, permissions: { publish: ["tasks.>"] } }
  { user: bob, password: secret, permissions: { publish: ["$JS.API.STREAM.INFO.KV_tasks"] } }
  { user: carol, password: secret, permissions: { publish: ["$JS.API.*.*.KV_tasks"] } }
] } }`;
    await using server = await TestServer.start({ config });
    const before = await runCli(["prove", "--nats", server.url]);
    assert.equal(before.code, 7);
    assert.match(
      before.stderr,
      /has no bucket "tasks" for this user: no coordinator has run there/,
    );
    await makeBuckets(await jetstreamManager(await server.connect()));
    const empty = await runCli(["prove", "--nats", server.url]);
    assert.equal(empty.code, 0, empty.stderr);
    const connection = await server.connect();
    const { task } = new SyntheticHistory().create("a").claim("a", "s1").entries[1] ?? {};
    assert.ok(task != null);
    await connection.request("$KV.tasks.a", JSON.stringify(encodeTask(task)));
    const proveAs = (user: string): Promise<CliExit> =>
      runCli(["prove", "--nats", server.url, "--user", user, "--password", "secret"]);
    for (const user of ["alice", "bob"]) {
      const refused = await proveAs(user);
      assert.equal(refused.code, 7);
      assert.match(refused.stderr, /may not read the history: .*DIRECT\.GET\.KV_tasks/);
    }
    const withoutLeases = await proveAs("carol");
    assert.equal(withoutLeases.code, 0);
    assert.match(withoutLeases.stdout, /1 not checked, because the bucket leases cannot be read/);
    const missing = await runCli(["prove", "--nats", server.url, "--task", "missing"]);
    assert.equal(missing.code, 6);
    const both = await runCli(["prove", "--nats", server.url, "--task", "a", "--prefix", "b"]);
    assert.equal(both.code, 2);
  });
});
