import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeAudit } from "../../../src/cli/doctor/verdicts/audit.ts";

describe("the verdict on the audit", () => {
  const FACTS = {
    messages: 5,
    bytes: 2_000_000,
    maxBytes: 10_000_000,
    since: "2026-03-01T09:00:00Z",
  };

  it("is about the stream, if the workers keep an audit", () => {
    assert.deepEqual(
      judgeAudit(true, null).map(({ code }) => code),
      ["audit_missing"],
    );
    for (const [isOn, facts, text] of [
      [true, FACTS, "5 messages since 2026-03-01, 20 % of its bytes"],
      [false, FACTS, "5 messages since 2026-03-01, 20 % of its bytes; the workers add nothing"],
      [true, { ...FACTS, messages: 0, bytes: 0, since: null }, "0 messages, 0 % of its bytes"],
    ] as const) {
      assert.deepEqual(
        judgeAudit(isOn, facts).map((finding) => [finding.verdict, finding.text]),
        [["ok", text]],
      );
    }
    assert.match(judgeAudit(false, null)[0]?.text ?? "", /^the workers keep none/);
  });
});
