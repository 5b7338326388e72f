import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkDomain,
  checkInboxPrefix,
  ConnectionValueError,
  parseServers,
} from "../../src/nats/connection-values.ts";

function refusalOf(given: string | readonly string[]): string {
  try {
    parseServers(given);
  } catch (error) {
    assert.ok(error instanceof ConnectionValueError, String(error));
    return error.message;
  }
  assert.fail(`${JSON.stringify(given)} should be refused`);
}

describe("a list of servers", () => {
  for (const [given, urls] of [
    ["nats://one:4222", ["nats://one:4222"]],
    ["one", ["one"]],
    ["one:4333", ["one:4333"]],
    ["nats://one/", ["nats://one/"]],
    ["NATS://one:4222", ["NATS://one:4222"]],
    ["nats://one:4222,nats://two:4222", ["nats://one:4222", "nats://two:4222"]],
    [" one , two:1\n", ["one", "two:1"]],
    [
      ["one", "two"],
      ["one", "two"],
    ],
    [
      ["one,two", " three"],
      ["one", "two", "three"],
    ],
    ["one,nats://one:4222,ONE,two", ["one", "two"]],
    ["[::1]:4222,::1,nats://[::1]", ["[::1]:4222"]],
    ["127.0.0.1:80,127.0.0.1:443", ["127.0.0.1:80", "127.0.0.1:443"]],
    ["under_score:65535", ["under_score:65535"]],
  ] as const) {
    it(`reads ${JSON.stringify(given)}`, () => {
      assert.deepEqual(parseServers(given), { urls, requiresTls: false });
    });
  }

  it("makes TLS mandatory for all servers if one says tls://", () => {
    assert.equal(parseServers("one,tls://two:4222").requiresTls, true);
    assert.equal(
      parseServers("one,TLS://one").requiresTls,
      true,
      "also of one that is named twice",
    );
  });

  for (const [given, message] of [
    ["ws://one:8080", /^has ws:.* WebSocket is not supported: use nats:\/\/ and the .* 4222/],
    ["one,wss://two", /^has wss:.* WebSocket is not supported: use tls:\/\//],
    ["http://one:8222", /^has http:.* does not take requests by HTTP: use nats:\/\/ or tls:\/\//],
    ["https://one", /does not take requests by HTTP/],
    ["redis://one", /^has redis:\/\/one with an unknown scheme: use nats:\/\/ or tls:\/\/$/],
    ["://one", /unknown scheme/],
    ["one,,two", /^has an empty entry: remove it/],
    ["one,", /^has an empty entry/],
    ["", /^has an empty entry/],
    [" ", /^has an empty entry/],
    [[], /^must name at least one server/],
    ["one:0", /^has one:0, whose port is not a number from 1 to 65535/],
    ["one:65536", /whose port/],
    ["nats://one:4222x", /whose port/],
    ["one:", /whose port/],
    ["one:-1", /whose port/],
    ["nats://", /is not the URL of a NATS server: use nats:\/\/host:port/],
    ["one two", /is not the URL/],
    ["nats://one/path", /is not the URL/],
    ["nats://one?x=1", /is not the URL/],
    ["[::1", /is not the URL/],
    ["[one]:4222", /is not the URL/],
  ] as const) {
    it(`refuses ${JSON.stringify(given)} and says what to write instead`, () => {
      assert.match(refusalOf(given), message);
    });
  }

  it("refuses a user in a URL without repeating the password", () => {
    const message = refusalOf("nats://me:s3cret@one:4222");
    assert.match(message, /^must not contain a user or password: set nats\.username/);
    assert.ok(!message.includes("s3cret"));
  });
});

describe("an inbox prefix", () => {
  it("must be the beginning of a subject", () => {
    for (const prefix of ["_INBOX", "_INBOX_alice", "inbox.team-1.alice"]) checkInboxPrefix(prefix);
    for (const prefix of ["", "_INBOX.", ".a", "a..b", "_INBOX.>", "a.*", "a b", "a\n"]) {
      assert.throws(() => {
        checkInboxPrefix(prefix);
      }, /must be the beginning of a subject, .* such as _INBOX_alice/);
    }
  });
});

describe("a JetStream domain", () => {
  it("must be one token of a subject", () => {
    for (const domain of ["hub", "leaf-1"]) checkDomain(domain);
    for (const domain of ["", "a.b", "a b", ">", "*"]) {
      assert.throws(() => {
        checkDomain(domain);
      }, /must be the name of a JetStream domain/);
    }
  });
});
