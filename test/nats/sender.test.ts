import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { senderOf } from "../../src/nats/sender.ts";

describe("the sender of a request", () => {
  it("is the principal that the NATS server vouches for", () => {
    assert.equal(senderOf({ role: "agent", name: "s1" }, "_R_.abc.def"), "agent.s1");
    assert.equal(senderOf({ role: "operator", name: "s1" }, "_R_.abc.def"), "operator.s1");
  });

  it("is the connection without a principal, for each request", () => {
    const sender = senderOf(null, "_INBOX.N1.token1");
    assert.equal(senderOf(null, "_INBOX.N1.token2"), sender);
    assert.notEqual(senderOf(null, "_INBOX.N2.token1"), sender);
  });

  it("is the single request of a client with a subject for each answer", () => {
    assert.notEqual(senderOf(null, "_INBOX.N1"), senderOf(null, "_INBOX.N2"));
    assert.notEqual(senderOf(null, "inbox"), senderOf(null, "outbox"));
  });
});
