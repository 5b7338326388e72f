/** What the bucket `principals` says, and what happens with values that say nothing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { readRules } from "../../src/protocol/principal-rules.ts";
import type { Fact } from "../../src/service/ports.ts";
import { PrincipalRules } from "../../src/service/principal-rules.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Rules of these values, in this order, with revisions from 1. */
function rulesOf(values: Readonly<Record<string, string>>, facts: Fact[] = []): PrincipalRules {
  const rules = new PrincipalRules((fact) => facts.push(fact));
  deliver(rules, values);
  return rules;
}

function deliver(rules: PrincipalRules, values: Readonly<Record<string, string>>): void {
  rules.restarted();
  for (const [i, [principal, text]] of Object.entries(values).entries()) {
    rules.entry({ principal, revision: i + 1, rules: readRules(text) });
  }
  rules.current();
}

function messagesOf(facts: readonly Fact[]): string[] {
  return facts.flatMap((fact) => (fact.kind === "warning" ? [fact.message] : []));
}

describe("the rules for principals", () => {
  it("give each principal its own limits, and none to others", () => {
    const rules = rulesOf({
      "agent.s1": '{"limits": {"claims": 5, "requests_per_second": 0}}',
      "operator.ann": '{"prefixes": ["board."]}',
    });
    assert.equal(rules.limitsOf("agent.s1")?.claims, 5);
    assert.equal(rules.limitsOf("agent.s1")?.requests_per_second, 0);
    assert.equal(rules.limitsOf("agent.s1")?.tasks, undefined);
    assert.equal(rules.limitsOf("operator.ann")?.claims, undefined);
    assert.equal(rules.limitsOf("_INBOX.abc")?.claims, undefined);
  });

  it("give an id to the owners of the longest prefix that it has", () => {
    const rules = rulesOf({
      "agent.s1": '{"prefixes": ["s1.", "team"]}',
      "agent.s2": '{"prefixes": ["team.two."]}',
      "agent.s3": '{"prefixes": ["team.two."]}',
    });
    for (const [id, owners] of [
      ["s1.a", ["agent.s1"]],
      ["s1", []],
      ["s10.a", []],
      ["teams", ["agent.s1"]],
      ["team.two.a", ["agent.s2", "agent.s3"]],
      ["team.two", ["agent.s1"]],
      ["other", []],
    ] as const) {
      assert.deepEqual([...rules.ownersOf(id)].sort(), owners, id);
    }
    rules.entry({ principal: "agent.s2", revision: 4, rules: null });
    assert.deepEqual([...rules.ownersOf("team.two.a")], ["agent.s3"]);
    rules.entry({ principal: "agent.s3", revision: 5, rules: readRules("{}") });
    assert.deepEqual([...rules.ownersOf("team.two.a")], ["agent.s1"]);
  });

  it("are none if the value cannot be read, with one report", () => {
    const facts: Fact[] = [];
    const values = {
      "agent.a": "no JSON",
      "agent.b": '{"prefixes": ["b c."]}',
      "agent.c": '{"limits": {"claims": -1}}',
      "agent.d": "[]",
      "agent.e": '{"limits": {"claim": 5, "tasks": 7}, "prefix": ["e."]}',
    };
    const rules = rulesOf(values, facts);
    deliver(rules, values);
    const entry = (name: string): string => `the entry "agent.${name}" of the bucket "principals"`;
    const [a, b, c, d, e, ...more] = messagesOf(facts);
    assert.equal(a, `${entry("a")} counts as none: it is not JSON`);
    assert.match(b ?? "", /counts as none: prefixes\.0: must be 1 to 200 characters/);
    assert.match(c ?? "", /counts as none: limits\.claims: /);
    assert.ok(d?.startsWith(`${entry("d")} counts as none: `), d);
    assert.equal(
      e,
      `${entry("e")} is read without prefix, limits.claim: this version knows no such name`,
    );
    assert.deepEqual(more, []);
    assert.equal(rules.limitsOf("agent.e")?.tasks, 7);
    // Somebody has deleted the bucket, so revisions begin again.
    deliver(rules, { "agent.a": "{}" });
    deliver(rules, { "agent.a": "no JSON" });
    assert.equal(messagesOf(facts).length, 6);
  });

  it("are there when a worker has started, and follow the bucket", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("principals");
    const reported = coordinator.fact("warning");
    await bucket.put("agent.s1", "not JSON");
    assert.match((await reported).message, /"agent\.s1" of the bucket "principals" counts as none/);
    await coordinator.ok("agent.s1.tasks.create.a");
    await coordinator.addWorkers(1);
    assert.equal((await coordinator.ok("tasks.get.a")).task.created_by, "agent.s1");
  });
});
