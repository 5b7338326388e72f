import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { ownedSession } from "../../../src/cli/mcp/owned-session.ts";
import { TempFolder } from "../../support/temp-folder.ts";

it("the session of an agent begins with the name in its credentials", async () => {
  await using folder = await TempFolder.create();
  const creds = join(folder.path, "alice.creds");
  const claims = Buffer.from(JSON.stringify({ name: "alice" })).toString("base64url");
  await writeFile(
    creds,
    `-----BEGIN NATS USER JWT-----\neyJ9.${claims}.c2ln\n------END NATS USER JWT------\n`,
  );
  assert.equal(ownedSession("claude-1", { creds }), "alice.claude-1");
  assert.equal(ownedSession("claude-1", { creds: join(folder.path, "none") }), "claude-1");
  assert.equal(ownedSession("claude-1", { nats: "nats://host" }), "claude-1");
});
