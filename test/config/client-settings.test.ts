import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { clientSettings } from "../../src/config/client-settings.ts";
import { ContextError } from "../../src/config/nats-contexts.ts";
import { TempFolder } from "../support/temp-folder.ts";

describe("how a command reaches NATS", () => {
  it("is told by its options before a context, and by a context before the environment", async () => {
    await using home = await contexts({ prod: { url: "nats://prod:4222", creds: "~/prod.creds" } });
    const env = { XDG_CONFIG_HOME: home.path, HOME: "/home/me", NATS_URL: "nats://url:4222" };
    assert.equal(clientSettings({}, {}).servers, "nats://localhost:4222");
    assert.equal(clientSettings({}, env).servers, "nats://url:4222");
    assert.equal(clientSettings({}, { ...env, NATS_CONTEXT: "prod" }).servers, "nats://prod:4222");
    const own = { ...env, NATS_CONTEXT: "prod", IF_COORDINATOR_NATS_SERVERS: "nats://own:4222" };
    assert.equal(clientSettings({}, own).servers, "nats://own:4222");
    const chosen = clientSettings({ context: "prod" }, own);
    assert.equal(chosen.servers, "nats://prod:4222");
    assert.match(chosen.credsFile ?? "", /^\/.*\/prod\.creds$/);
    const moved = clientSettings({ context: "prod", nats: "nats://other:4222" }, own);
    assert.deepEqual([moved.servers, moved.credsFile], ["nats://other:4222", chosen.credsFile]);
  });

  it("never mixes the login of two sources", async () => {
    await using home = await contexts({ prod: { url: "nats://p:4222", user: "a", password: "x" } });
    const env = { XDG_CONFIG_HOME: home.path };
    const other = clientSettings({ context: "prod", user: "b" }, env);
    assert.deepEqual(other, { servers: "nats://p:4222", username: "b" });
    assert.equal(clientSettings({ context: "prod", password: "y" }, env).username, "a");
  });

  it("sends the login in NATS_URL to that server only", () => {
    const env = { NATS_URL: "nats://me:secret@home" };
    assert.deepEqual(clientSettings({ nats: "nats://other" }, env), { servers: "nats://other" });
  });

  it("takes user, password and token out of --nats, of the URL of a context and of NATS_URL", () => {
    const login = { username: "me", password: "100%" };
    const nats = "nats://me:100%@h";
    assert.deepEqual(clientSettings({ nats }, {}), { servers: "nats://h", ...login });
    const other = { servers: "nats://h", username: "b" };
    assert.deepEqual(clientSettings({ nats, user: "b" }, {}), other);
    const url = (NATS_URL: string): object => clientSettings({}, { NATS_URL });
    assert.deepEqual(url("nats://me:s%40cret@host:4222"), {
      servers: "nats://host:4222",
      username: "me",
      password: "s@cret",
    });
    assert.deepEqual(url("tls://secret@host"), { servers: "tls://host", token: "secret" });
  });

  it("is refused for a context that does not exist, is no JSON, or needs what is not supported", async () => {
    await using home = await contexts({ prod: { url: "nats://p" }, nsc: { nsc: "nsc://o/a/u" } });
    const broken = {
      bad: "{",
      // An error of JSON.parse quotes what it does not understand.
      unquoted: '{"user": "me", "password": s3cret}',
      comma: '{"user": "me"\n"password": "s3cret"}',
    };
    for (const [name, text] of Object.entries(broken)) {
      await writeFile(join(home.path, "nats", "context", `${name}.json`), text);
    }
    const env = { XDG_CONFIG_HOME: home.path };
    const refusal = (context: string): string => {
      try {
        clientSettings({ context }, env);
      } catch (error) {
        if (error instanceof ContextError) return error.message;
      }
      throw new Error(`${context} is taken`);
    };
    assert.match(refusal("prd"), /no NATS context "prd": did you mean prod\?/);
    assert.match(refusal("bad"), /bad\.json is not valid JSON/);
    assert.match(refusal("unquoted"), /unquoted\.json is not valid JSON$/);
    assert.match(refusal("comma"), /comma\.json is not valid JSON \(line 2\)$/);
    assert.match(refusal("nsc"), /nsc is not supported/);
    assert.match(refusal("../prod"), /not the name of a context/);
  });
});

async function contexts(byName: Readonly<Record<string, object>>): Promise<TempFolder> {
  const folder = await TempFolder.create();
  const path = join(folder.path, "nats", "context");
  await mkdir(path, { recursive: true });
  for (const [name, content] of Object.entries(byName)) {
    await writeFile(join(path, `${name}.json`), JSON.stringify(content));
  }
  return folder;
}
