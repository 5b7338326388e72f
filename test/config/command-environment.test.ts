import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientSettings } from "../../src/config/client-settings.ts";
import { commandEnvironment } from "../../src/config/command-environment.ts";

const HOME = "/nonexistent";

describe("the environment of a program that a command starts", () => {
  for (const [name, flags, env] of [
    ["a default", {}, { HOME }],
    ["NATS_URL", {}, { HOME, NATS_URL: "nats://user:secret@one:4222" }],
    ["options", { nats: "two:4222", creds: "a.creds" }, { HOME, NATS_URL: "nats://one:4222" }],
    ["variables", {}, { HOME, IF_COORDINATOR_NATS_SERVERS: "two", IF_COORDINATOR_NATS_TOKEN: "t" }],
    ["both", { nats: "two", user: "u", password: "p" }, { HOME, IF_COORDINATOR_NATS_TOKEN: "t" }],
  ] as const) {
    it(`leads to the same connection without options, from ${name}`, () => {
      const given = commandEnvironment(flags, env);
      assert.deepEqual(clientSettings({}, given), clientSettings(flags, env));
    });
  }

  it("names the servers for programs that know only NATS_URL, and keeps its login", () => {
    const url = "nats://user:secret@one:4222";
    assert.equal(commandEnvironment({}, { HOME, NATS_URL: url }).NATS_URL, url);
    assert.equal(
      commandEnvironment({ nats: "two:4222" }, { HOME, NATS_URL: url }).NATS_URL,
      "two:4222",
    );
    assert.equal(commandEnvironment({}, { HOME }).NATS_URL, "nats://localhost:4222");
  });

  it("keeps everything else", () => {
    assert.equal(commandEnvironment({}, { HOME, EDITOR: "vi" }).EDITOR, "vi");
  });
});
