/** What an agent reads at the start of its session: short in every case, and without secrets. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commonOptions, withoutLogin } from "../../../src/cli/prime/common-options.ts";
import { MAX_CHARACTERS, primeText, type Situation } from "../../../src/cli/prime/prime-text.ts";

const IDLE: Situation = { held: [], has_more: false, ready: 3 };

function prime(situation: Situation, session = "agent-1", nats = "nats://10.0.0.1:4222"): string {
  return primeText({ session, options: commonOptions(session, { nats }), situation });
}

function holding(ids: readonly string[], hasMore = false): Situation {
  const held = ids.map((task_id) => ({ task_id, cancel_requested: false }));
  return { held, has_more: hasMore, ready: 0 };
}

describe("the text of prime", () => {
  it("has every command with the session and the connection", () => {
    const text = prime(IDLE);
    const commands = text.match(/if-coordinator task .*$/gm) ?? [];
    assert.equal(commands.length, 5);
    for (const command of commands)
      assert.match(command, / -s agent-1 --nats nats:\/\/10\.0\.0\.1:4222$/);
    assert.match(text, /^You hold no task\. 3 ready tasks wait for a session\.$/m);
  });

  it("names what the session holds, and what was cancelled", () => {
    const held = [
      { task_id: "P0.1", cancel_requested: false },
      { task_id: "P0.2", cancel_requested: true },
    ];
    const text = prime({ held, has_more: false, ready: 1 });
    assert.match(
      text,
      /^You hold P0\.1, P0\.2 \(cancelled\)\. 1 ready task waits for a session\.$/m,
    );
  });

  it("is never longer than allowed, with whole ids", () => {
    const long = "x".repeat(256);
    const twenty = Array.from({ length: 20 }, (_, i) => `task-number-${i}`);
    const sessions = ["a", "agent-1", "s".repeat(60), long];
    const servers = ["nats://localhost:4222", `nats://${"host,".repeat(20)}host:4222`];
    const situations = [
      IDLE,
      holding(["P0.1"]),
      holding(twenty, true),
      holding([long, long.replace("x", "y"), "z"]),
      { problem: "p".repeat(1_000) },
    ];
    for (const session of sessions) {
      for (const server of servers) {
        for (const situation of situations) {
          const text = prime(situation, session, server);
          assert.ok(text.length <= MAX_CHARACTERS, `${text.length}: ${text}`);
          assert.ok(text.includes(`-s ${session} --nats ${server}`));
          for (const word of text.match(/task-number-\S*[^\s,.]/g) ?? [])
            assert.ok(twenty.includes(word));
        }
      }
    }
  });

  it("says that no coordinator is there, and how to take part nevertheless", () => {
    const text = prime({ problem: "connection refused" });
    assert.match(text, /^No coordinator answers.* exit with 7: connection refused$/m);
    assert.match(text, /^Take: {5}if-coordinator task next /m);
  });
});

describe("the options that prime repeats", () => {
  it("are those that were given, quoted, and without secrets", () => {
    const flags = {
      nats: "nats://me:secret@host:4222,tls://token@other",
      creds: "/home/me@work/my file.creds",
      password: "secret",
    };
    assert.equal(
      commonOptions("agent-1", flags),
      "-s agent-1 --nats nats://host:4222,tls://other --creds '/home/me@work/my file.creds'",
    );
    assert.equal(
      withoutLogin("cannot connect to nats://a:b@c:4222"),
      "cannot connect to nats://c:4222",
    );
  });
});
