/** What the commands of `auth` say about mistakes: the option and the cure, without anything half done. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type CliExit, runCli } from "../support/cli-process.ts";
import { TestServer } from "../support/nats-server.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

function assertSays({ code, stderr }: CliExit, expectedCode: number, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, /^ +at |unexpected error/m);
  assert.equal(code, expectedCode, stderr);
}

describe("auth init", () => {
  it("refuses a server, an address or a folder that cannot be used, and makes nothing", async () => {
    await using home = await TempFolder.create();
    const made = join(home.path, "made");
    for (const [args, pattern] of [
      [["--nats", "nats://a b"], /--nats has nats:\/\/a b, which is not the URL of a NATS server/],
      [["--nats", "http://a"], /--nats has http:\/\/a, but a NATS server does not take requests/],
      [["--nats", "nats://a:99999"], /--nats has .*whose port is not a number from 1 to 65535/],
      [["--nats", "nats://a,nats://b"], /--nats names 2 servers: name one/],
      [["--host", "not a host"], /'--host <address>' .*an address or the name of a host/],
      [["--tls", "bad host!"], /'--tls \[host,\.\.\.\]' .*names of hosts or addresses/],
      [["--tls", ""], /'--tls \[host,\.\.\.\]' .*names of hosts or addresses/],
      [["--visibility", "some"], /'--visibility <what>' .*all, definitions, own/],
    ] as const) {
      assertSays(await runCli(["auth", "init", made, ...args]), 2, pattern);
    }
    assertSays(await runCli(["auth", "init", ""]), 2, /argument 'folder'. It must not be empty/);
    assert.deepEqual(await readdir(home.path), []);

    const env = { NATS_URL: "http://a" };
    assertSays(await runCli(["auth", "init", made], { env }), 2, /NATS_URL has http:\/\/a, but/);
    const file = join(home.path, "file");
    await writeFile(file, "");
    for (const path of [file, join(file, "below")]) {
      assertSays(
        await runCli(["auth", "init", path]),
        1,
        /cannot be used .*is no folder, or choose/,
      );
    }
    assertSays(await runCli(["auth", "init", home.path]), 1, /is not empty: choose another folder/);
    assert.deepEqual(await readdir(home.path), ["file"]);
  });

  it("makes certificates for a server whose URL begins with tls://", async () => {
    await using home = await TempFolder.create();
    const dir = join(home.path, "auth");
    const { stdout } = await runCli(["auth", "init", dir, "--nats", "tls://a:4222", "--json"]);
    const { server, ca } = JSON.parse(stdout) as { server: string; ca: string };
    assert.deepEqual([server, ca], ["tls://a:4222", join(dir, "tls", "ca.pem")]);
  });
});

describe("a change that a running server does not take", () => {
  it("is kept, and the command says how the right server learns it", async () => {
    await using secured = await SecuredServer.start();
    await using other = await SecuredServer.start();
    await using plain = await TestServer.start();
    const { folder, server } = secured;
    const auth = (...args: string[]): Promise<CliExit> =>
      runCli(["auth", ...args, "--dir", folder.path]);
    const kept =
      /this server goes on as before\. When it is the right one: if-coordinator auth push/;
    const elsewhere = await auth("add-agent", "s1", "--nats", other.server.url);
    assertSays(elsewhere, 7, /Authorization Violation.*--nats <url> and --dir/);
    assertSays(elsewhere, 7, kept);
    const withoutAccounts = await auth("rotate", "s1", "--nats", plain.url);
    assertSays(withoutAccounts, 1, /takes no accounts.*must run with the nats-server\.conf/);
    assertSays(withoutAccounts, 1, kept);
    assertSays(await auth("push", "--nats", "nats://127.0.0.1:1"), 7, /no NATS server answers at/);

    assert.equal((await auth("push", "--nats", server.url)).code, 0);
    await (await secured.connectAs("s1")).flush();
  });
});

describe("auth revoke", () => {
  it("says that the users of the set-up are rotated, and names an unknown principal", async () => {
    await using secured = await SecuredServer.start();
    const revoke = (name: string): Promise<CliExit> =>
      runCli(["auth", "revoke", name, "--dir", secured.folder.path, "--nats", secured.server.url]);
    assertSays(await revoke("worker"), 1, /"auth rotate worker" refuses its credentials/);
    assertSays(await revoke("nobody"), 1, /there is no principal nobody: "auth list" shows all/);
    assertSays(await revoke("../s1"), 1, /there is no principal \.\.\/s1/);
  });
});
