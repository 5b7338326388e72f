/** Verdicts on facts, also those that no test can inject into a real server. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Finding, found } from "../../../src/cli/doctor/finding.ts";
import { judgeClocks } from "../../../src/cli/doctor/verdicts/clocks.ts";
import {
  judgeConnection,
  judgeEncryption,
  judgeUser,
} from "../../../src/cli/doctor/verdicts/connection.ts";
import { judgeDisk, judgeHealth } from "../../../src/cli/doctor/verdicts/outside.ts";
import { judgePermissions, permits } from "../../../src/cli/doctor/verdicts/permissions.ts";
import { judgeAddresses, judgeVersions } from "../../../src/cli/doctor/verdicts/servers.ts";
import {
  bytes,
  judgeAccount,
  judgeBuckets,
  judgeReplicas,
} from "../../../src/cli/doctor/verdicts/storage.ts";
import {
  judgeReports,
  judgeWaiting,
  judgeWorkers,
} from "../../../src/cli/doctor/verdicts/workers.ts";
import type { BucketFacts } from "../../../src/nats/inspection/jetstream-facts.ts";
import { readClock } from "../../../src/nats/inspection/clock-reading.ts";
import type { WorkerFacts } from "../../../src/nats/inspection/worker-facts.ts";

function codesOf(findings: readonly Finding[]): (string | null)[] {
  return findings.map(({ code }) => code);
}

const DAY = 86_400_000;
const NOW = Date.parse("2026-01-01T00:00:00Z");

const CONNECTION = {
  ...{ address: "nats-1:4222", serverName: "n1", serverId: "N1", version: "2.15.1", cluster: "C" },
  ...{ announced: [], roundTripMs: 0.4, isEncrypted: true, certificateEndsAt: NOW + 90 * DAY },
  maxPayload: 1_048_576,
};
const USER = {
  ...{ user: "alice", account: "A", expiresInMs: null, clock: { aheadMs: 0, errorMs: 1 } },
  ...{ publish: { allow: [], deny: [] }, subscribe: { allow: [], deny: [] } },
};
const BUCKET: BucketFacts = {
  ...{ bucket: "tasks", stream: "KV_tasks", history: 16, replicas: 3, misfits: [], choices: [] },
  ...{ unsafe: [], usages: [], maxValueBytes: null, entries: 5 },
  cluster: { leader: "n1", followers: [follower("n2"), follower("n3")] },
};
const WORKER: WorkerFacts = {
  ...{ id: "worker-1", protocol: "1.0.0", version: "1.0.0", settings: { max_failures: 3 } },
  ...{ waiting: 0, startedAt: null, requests: 10, errors: 1, lastErrors: [] },
  clock: { aheadMs: 0, errorMs: 1 },
};
const STATS = {
  ok: true as const,
  tasks: { blocked: 0, available: 0, claimed: 0, complete: 0, failed: 0, cancelled: 0 },
  ...{ total: 0, ready: 0, dead_ends: 0, corrupt: 0, leases: 0, sessions: 0 },
  ...{ release_on_disconnect: false, revision: 1 },
  worker: {
    id: "worker-1",
    version: "1.0.0",
    uptime_seconds: 9,
    waiting: 0,
    visibility: "all" as const,
  },
};
const ANSWER = { kind: "stats", stats: STATS } as const;

function follower(name: string, isCurrent = true, isOffline = false) {
  return { name, isCurrent, isOffline };
}

describe("the verdict on servers", () => {
  const down = { address: "b:4222", answer: { kind: "refused" } } as const;
  const greeting = {
    ...{ server_id: "N1", server_name: "n1", version: "2.15.1", tls_required: false },
  };
  const up = { address: "a:4222", answer: { kind: "nats", greeting } } as const;

  it("is a warning for one of several, and a problem if there is no connection", () => {
    assert.deepEqual(codesOf(judgeAddresses([up, down], true)), [null, "server_down"]);
    assert.deepEqual(codesOf(judgeAddresses([down], false)), ["connection_refused"]);
  });

  it("names versions that differ, and the server with the defect", () => {
    const versions = judgeVersions([
      { server: "n1", version: "2.15.1" },
      { server: "n2", version: "2.14.1" },
    ]);
    assert.deepEqual(codesOf(versions), ["version_known_bad", "versions_differ"]);
    assert.match(versions[0]?.text ?? "", /^n2: nats-server 2\.14\.1 can refuse/);
    assert.equal(versions[0]?.cure, "upgrade nats-server to 2.14.4 or newer");
    assert.equal(versions[1]?.text, "the servers have 2.15.1 on n1; 2.14.1 on n2");
  });
});

describe("the verdict on the connection", () => {
  it("warns of a slow network and of messages that are too small for records", () => {
    assert.deepEqual(codesOf(judgeConnection(CONNECTION, 65_536)), [null]);
    const slow = { ...CONNECTION, roundTripMs: 150, maxPayload: 65_536 };
    assert.deepEqual(codesOf(judgeConnection(slow, 65_536)), ["slow_round_trip", "small_messages"]);
    assert.deepEqual(codesOf(judgeConnection(slow, null)), ["slow_round_trip"]);
  });

  it("warns of clear text, but not on this machine, and of a certificate that ends soon", () => {
    const clear = { ...CONNECTION, isEncrypted: false, certificateEndsAt: null };
    assert.deepEqual(codesOf(judgeEncryption(clear, NOW)), ["not_encrypted"]);
    for (const address of ["localhost:4222", "127.0.0.1:4222", "[::1]:4222"]) {
      assert.deepEqual(codesOf(judgeEncryption({ ...clear, address }, NOW)), [null], address);
    }
    assert.deepEqual(codesOf(judgeEncryption(CONNECTION, NOW)), [null]);
    const soon = { ...CONNECTION, certificateEndsAt: NOW + 5 * DAY };
    assert.deepEqual(codesOf(judgeEncryption(soon, NOW)), ["certificate_ends"]);
  });

  it("warns of credentials that end soon", () => {
    assert.deepEqual(codesOf(judgeUser(USER)), [null]);
    assert.deepEqual(codesOf(judgeUser({ ...USER, expiresInMs: 30 * DAY })), [null]);
    const [soon] = judgeUser({ ...USER, expiresInMs: 2 * DAY });
    assert.equal(soon?.text, "user alice, account A: the credentials end in 2d");
  });
});

describe("the verdict on permissions", () => {
  it("follows the wildcards of NATS", () => {
    const rules = {
      allow: ["tasks.*.>", "sessions.list"],
      deny: ["tasks.import", "tasks.claim.P0.>"],
    };
    for (const [subject, isPermitted] of [
      ["tasks.claim.a", true],
      ["tasks.claim.P0.1", false],
      ["tasks.list", false],
      ["sessions.list", true],
      ["sessions.list.x", false],
    ] as const) {
      assert.equal(permits(rules, subject), isPermitted, subject);
    }
    assert.ok(permits({ allow: [], deny: ["a"] }, "b"));
  });

  it("tells what is needed from what may be intended", () => {
    const all = { ...USER, publish: { allow: ["tasks.>", "sessions.>"], deny: [] } };
    assert.deepEqual(codesOf(judgePermissions(all, false)), [null]);
    const noImport = { ...USER, publish: { allow: [], deny: ["tasks.import"] } };
    const [finding] = judgePermissions(noImport, false);
    assert.equal(finding?.text, "the user may not send tasks.import");
    const deaf = { ...USER, subscribe: { allow: ["_INBOX.>"], deny: [] } };
    assert.match(judgePermissions(deaf, false)[0]?.text ?? "", /not subscribe to task-updates\.>$/);
  });
});

describe("the verdict on storage", () => {
  it("warns near a limit and reports a limit that is reached", () => {
    const usage = (used: number) => ({ what: "storage", used, limit: 100 });
    for (const [used, code] of [
      [10, null],
      [80, "limit_near"],
      [95, "limit_reached"],
    ] as const) {
      const facts = { kind: "enabled", usages: [usage(used)] } as const;
      assert.deepEqual(codesOf(judgeAccount(facts, true)), [code]);
    }
    assert.deepEqual(codesOf(judgeAccount({ kind: "disabled" }, false)), ["no_jetstream"]);
    assert.equal(bytes(1_572_864), "1.5 MiB");
  });

  it("finds settings that lose writes, full buckets, and buckets that differ", () => {
    const bad = {
      ...BUCKET,
      unsafe: ["persist_mode is async"],
      usages: [{ what: "bytes", used: 90, limit: 100 }],
      maxValueBytes: 1_024,
    };
    const leases = { ...BUCKET, bucket: "leases", stream: "KV_leases", replicas: 1 };
    const findings = judgeBuckets({ found: [bad, leases], missing: [] }, 65_536);
    assert.deepEqual(codesOf(findings), [
      ...["bucket_unsafe", "bucket_nearly_full", "bucket_small_values", "bucket_differs"],
    ]);
    assert.match(findings.at(-1)?.cure ?? "", /"nats stream edit KV_leases"/);
  });

  it("counts the servers that may be lost", () => {
    const [good] = judgeReplicas([BUCKET], 3);
    assert.match(good?.text ?? "", /3 current replicas and a leader; .* the loss of 1 server$/);
    const lost = { leader: null, followers: [follower("n2", false, true), follower("n3", false)] };
    const [leaderless, missing] = judgeReplicas([{ ...BUCKET, cluster: lost }], 3);
    assert.equal(leaderless?.code, "no_leader");
    assert.match(missing?.text ?? "", /n2 is offline, n3 is not current/);
    assert.deepEqual(codesOf(judgeReplicas([{ ...BUCKET, replicas: 1 }], 3)), ["single_replica"]);
    assert.deepEqual(codesOf(judgeReplicas([{ ...BUCKET, replicas: 2 }], 3)), ["even_replicas"]);
    assert.deepEqual(codesOf(judgeReplicas([{ ...BUCKET, replicas: 1, cluster: null }], 1)), [
      null,
    ]);
  });

  it("asks for a sync interval that fits the number of servers", () => {
    const disk = {
      ...{
        server: "n1",
        syncsAlways: false,
        syncIntervalMs: 1_000,
        usedBytes: 1,
        reservedBytes: 100,
      },
    };
    const judge = (facts: typeof disk, servers: number) =>
      judgeDisk({ disks: [facts], unknown: [] }, servers);
    assert.deepEqual(codesOf(judgeDisk({ disks: [], unknown: ["n1"] }, 1)), ["sync_unknown"]);
    assert.deepEqual(codesOf(judge(disk, 1)), [null]);
    assert.deepEqual(codesOf(judge(disk, 3)), ["sync_slow"]);
    assert.deepEqual(codesOf(judge({ ...disk, syncIntervalMs: 120_000 }, 1)), ["sync_slow"]);
    assert.deepEqual(codesOf(judge({ ...disk, syncsAlways: true }, 3)), [null]);
    assert.deepEqual(codesOf(judge({ ...disk, usedBytes: 80 }, 1)), ["disk_nearly_full"]);
  });
});

describe("the verdict on workers", () => {
  it("finds versions and settings that differ, and defects", () => {
    const other = {
      ...{ ...WORKER, id: "worker-2", version: "1.1.0", settings: { max_failures: 5 } },
      lastErrors: ["the coordinator has a defect and could not handle this request"],
    };
    const findings = judgeWorkers({ workers: [WORKER, other], answer: ANSWER }, "1.0.0");
    assert.deepEqual(codesOf(findings), [
      "worker_versions_differ",
      "settings_differ",
      "worker_defect",
    ]);
    assert.equal(findings[1]?.text, "max_failures is 3 (worker-1), 5 (worker-2)");
    const newer = { ...WORKER, protocol: "2.0.0" };
    const facts = { workers: [newer], answer: ANSWER };
    assert.deepEqual(codesOf(judgeWorkers(facts, "1.0.0")), ["protocol_differs"]);
  });

  it("tells a worker that does not answer from no worker", () => {
    const nobody = { kind: "nobody" } as const;
    const judge = (workers: WorkerFacts[], answer: Parameters<typeof judgeWorkers>[0]["answer"]) =>
      codesOf(judgeWorkers({ workers, answer }, "1.0.0"));
    assert.deepEqual(judge([], nobody), ["no_worker"]);
    assert.deepEqual(judge([WORKER], nobody), ["not_answered"]);
    assert.deepEqual(judge([WORKER], { kind: "failed", problem: "timeout" }), ["not_answered"]);
    assert.deepEqual(judge([], ANSWER), ["workers_unseen"]);
    assert.deepEqual(judge([WORKER], ANSWER), [null]);
  });

  it("warns of a worker that has parked nearly all requests that it may", () => {
    const full = { ...WORKER, waiting: 90, settings: { "limits.waiting": 100 } };
    const [finding] = judgeWaiting({ workers: [WORKER, full], answer: ANSWER });
    assert.equal(finding?.text, "worker-1 has 90 of 100");
    const [good] = judgeWaiting({ workers: [{ ...WORKER, waiting: 1 }], answer: ANSWER });
    assert.equal(good?.text, "1 request waits for a task; 0 tasks ready");
  });

  it("compares the reports of lost connections of all workers", () => {
    const judge = (...reported: boolean[]) =>
      codesOf(judgeReports(new Map(reported.map((isOn, at) => [`w${at}`, isOn]))));
    assert.deepEqual(judge(true, true), [null]);
    assert.deepEqual(judge(false, false), [null]);
    assert.deepEqual(judge(true, false), ["reports_differ"]);
  });

  it("passes on what the workers say about their health", () => {
    const answer = { problems: [], warnings: [], isReady: true, workers: 2 };
    const url = "http://127.0.0.1:9090";
    assert.deepEqual(codesOf(judgeHealth({ url, answer })), [null]);
    assert.deepEqual(codesOf(judgeHealth({ url, answer: null })), ["health_unreached"]);
    const ill = { ...answer, isReady: false, problems: ["a"], warnings: ["b"] };
    assert.deepEqual(codesOf(judgeHealth({ url, answer: ill })), ["not_ready", "health_warning"]);
    assert.deepEqual(codesOf(judgeHealth({ url, answer: { ...answer, isReady: false } })), [
      "not_ready",
    ]);
  });
});

describe("the verdict on clocks", () => {
  it("takes half the round trip as the error of the measurement", () => {
    const reading = readClock("2026-01-01T00:00:05.000Z", NOW, NOW + 4_000);
    assert.deepEqual(reading, { aheadMs: 3_000, errorMs: 2_000 });
    const worker = { id: "worker-1", clock: reading };
    // It may be 1 s or 5 s. Only what is sure is reported.
    assert.deepEqual(codesOf(judgeClocks({ server: null, workers: [worker] })), [
      null,
      "clock_unknown",
    ]);
    const off = { id: "worker-1", clock: { aheadMs: -90_000, errorMs: 5 } };
    const [finding] = judgeClocks({ server: { aheadMs: 1, errorMs: 1 }, workers: [off] });
    assert.equal(finding?.text, "worker-1 is 1m30s behind this machine (± 5 ms)");
  });
});

describe("a cure", () => {
  it("has the values of the finding, and keeps the names of unknown ones", () => {
    assert.match(found("bucket_refused", "", { stream: "KV_x" }).cure ?? "", /edit KV_x"/);
    assert.match(found("bucket_refused", "").cure ?? "", /edit <stream>"/);
  });
});
