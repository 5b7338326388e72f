/** The table of server versions, and the warning about a version that is known to be bad. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeServerVersion } from "../../src/nats/server-versions.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestServer } from "../support/nats-server.ts";
import { Serve } from "../support/serve.ts";

const JUDGED = {
  good: ["2.11.16", "2.11.99", "2.12.7", "2.12.8-RC.1", "2.13.0", "2.14.4", "2.15.1", "3.0.0", "x"],
  too_old: ["0.0.0", "1.4.1", "2.10.29", "2.11.0", "2.11.15", "2.12.0", "2.12.6"],
  known_bad: ["2.14.0", "2.14.0-RC.3", "2.14.3"],
};

describe("a version of nats-server", () => {
  for (const [kind, versions] of Object.entries(JUDGED)) {
    for (const version of versions) {
      it(`is ${kind.replace("_", " ")}: ${version}`, () => {
        assert.equal(judgeServerVersion(version).kind, kind);
      });
    }
  }

  it("is refused with the oldest good version of its release line", () => {
    for (const [version, cure] of [
      ["2.9.0", "2.11.16"],
      ["2.11.0", "2.11.16"],
      ["2.12.1", "2.12.7"],
      ["2.14.1", "2.14.4"],
    ] as const) {
      const verdict = judgeServerVersion(version);
      assert.ok(verdict.kind !== "good");
      assert.equal(verdict.cure, `upgrade it to ${cure} or newer`);
    }
  });
});

describe("a server that is known to be bad", () => {
  it("is used, with one warning in the log and one in the readiness", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port, { version: "2.14.3" });
    await using serve = await Serve.start(proxy.url);
    await serve.waitFor(/WARN +the NATS server at .* is version 2\.14\.3, which can refuse every /);
    const { code, warnings } = await serve.readiness();
    assert.equal(code, 200);
    assert.match(
      warnings.join("\n"),
      /^the NATS .* version 2\.14\.3, .*: upgrade it to 2\.14\.4 or/,
    );
  });
});
