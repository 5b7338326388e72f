import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createAccount, createUser } from "@nats-io/nkeys";
import { credentialsOf } from "../../src/auth/claims.ts";
import { nameInCredentials } from "../../src/nats/credentials-name.ts";
import { TempFolder } from "../support/temp-folder.ts";

describe("the name in a credentials file", () => {
  it("is that of the agent or operator", async () => {
    await using folder = await TempFolder.create();
    const path = join(folder.path, "a.creds");
    for (const name of ["s1", "Ann_B-2"]) {
      await writeFile(path, await credentialsOf(name, createUser(), createAccount()));
      assert.equal(nameInCredentials(path), name);
    }
  });

  it("is unknown if it cannot be a principal, or the file is none", async () => {
    await using folder = await TempFolder.create();
    const path = join(folder.path, "a.creds");
    assert.equal(nameInCredentials(path), null);
    for (const name of ["a.b", "two words", "*", "é"]) {
      await writeFile(path, await credentialsOf(name, createUser(), createAccount()));
      assert.equal(nameInCredentials(path), null, name);
    }
    for (const text of ["", "-----BEGIN NATS USER JWT-----\na.b.c\n", "SUAM"]) {
      await writeFile(path, text);
      assert.equal(nameInCredentials(path), null, text);
    }
  });
});
