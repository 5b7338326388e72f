import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { connect } from "@nats-io/transport-node";
import { readServerInfo } from "../../src/nats-server/server-info.ts";
import { runCli } from "../support/cli-process.ts";
import { Dev, request, TROUBLE } from "../support/dev.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TempFolder } from "../support/temp-folder.ts";

interface TaskReply {
  readonly ok: boolean;
  readonly attempt?: number;
  readonly task: { readonly status: string; readonly claimed_by: string | null };
}

async function isGone(natsUrl: string): Promise<boolean> {
  return (await readServerInfo("127.0.0.1", Number(new URL(natsUrl).port))) === undefined;
}

describe("if-coordinator dev", () => {
  it("runs a coordinator, prints its addresses and commands to try, and stops on SIGTERM", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path);
    const url = await dev.natsUrl();
    const created = (await request(url, "tasks.create.a", { title: "A" })) as TaskReply;
    assert.equal(created.task.status, "available");
    const claimed = (await request(url, "tasks.claim.a", { session_id: "me" })) as TaskReply;
    assert.equal(claimed.attempt, 1);
    const stats = (await request(url, "tasks.stats", {})) as { release_on_disconnect: boolean };
    const server = await readServerInfo("127.0.0.1", Number(new URL(url).port));
    const isReported = !server?.version.startsWith("2.11.");
    assert.equal(stats.release_on_disconnect, isReported, "2.11 reports nothing of such clients");
    const ready = await fetch(`${await dev.httpUrl()}/readyz`);
    assert.equal(ready.status, 200);

    dev.kill("SIGTERM");
    const { code, stdout } = await dev.exited;
    assert.equal(code, 0);
    assert.ok(await isGone(url));
    assert.match(stdout, /workers +1\n/);
    assert.ok(stdout.includes(folder.path), "where the data is");
    for (const command of [
      `export NATS_URL=${url}`,
      "if-coordinator watch",
      'if-coordinator task create hello --title "Say hello"',
      "if-coordinator task claim hello --session me",
    ]) {
      assert.match(stdout, new RegExp(`^  (npx )?${command}$`, "m"));
    }
  });

  it("stops workers before the server when Ctrl-C reaches the whole process group", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path);
    const url = await dev.natsUrl();
    dev.interrupt();
    const { code, stderr } = await dev.exited;
    assert.equal(code, 0);
    assert.ok(await isGone(url));
    assert.doesNotMatch(stderr, TROUBLE, "the workers never missed the server");
  });

  it("loses nothing when it is killed and started again", async () => {
    await using folder = await TempFolder.create();
    await using killed = await Dev.start(folder.path);
    const url = await killed.natsUrl();
    await request(url, "tasks.create.a", {});
    await request(url, "tasks.create.b", {});
    await request(url, "tasks.claim.a", { session_id: "me" });
    killed.kill("SIGKILL");
    await killed.exited;
    assert.ok(!(await isGone(url)), "its server goes on");

    await using dev = await Dev.start(folder.path, ["--port", new URL(url).port]);
    assert.equal(await dev.natsUrl(), url);
    const a = (await request(url, "tasks.get.a", {})) as TaskReply;
    assert.equal(a.task.claimed_by, "me");
    const again = (await request(url, "tasks.claim.a", { session_id: "me" })) as TaskReply;
    assert.equal(again.attempt, 1, "the claim still holds");
    const b = (await request(url, "tasks.claim.b", { session_id: "me" })) as TaskReply;
    assert.ok(b.ok);
    dev.kill("SIGTERM");
    assert.equal((await dev.exited).code, 0);
    assert.ok(await isGone(url));
  });

  it("refuses a store folder that another dev uses, and does not disturb that dev", async () => {
    await using folder = await TempFolder.create();
    await using first = await Dev.start(folder.path);
    await using second = await Dev.launch(folder.path);
    const { code, stdout, stderr } = await second.exited;
    assert.deepEqual([code, stdout], [1, ""]);
    assert.equal(
      stderr,
      `if-coordinator: another if-coordinator dev (process ${first.pid}) uses the folder ` +
        `${folder.path}: stop it, or choose another folder with --store-dir\n`,
    );
    const created = (await request(await first.natsUrl(), "tasks.create.a", {})) as TaskReply;
    assert.ok(created.ok);
  });

  it("names a port that is taken and the option, and leaves nothing running", async () => {
    await using folder = await TempFolder.create();
    await using other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };

    await using nats = await Dev.launch(folder.path, ["--port", String(port)]);
    const taken = await nats.exited;
    assert.equal(taken.code, 1);
    assert.equal(
      taken.stderr,
      `if-coordinator: port ${port} on 127.0.0.1 is taken: choose another with --port, or stop what uses it\n`,
    );

    const natsPort = String(await takePort());
    await using http = await Dev.launch(folder.path, [
      "--port",
      natsPort,
      "--http-port",
      String(port),
    ]);
    const { code, stderr } = await http.exited;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^if-coordinator: .*${port}.*--http-port.*\n$`));
    assert.ok(await isGone(`nats://127.0.0.1:${natsPort}`));
  });

  it("names a folder that cannot be created and the option", async () => {
    const { code, stderr } = await runCli(["dev", "--store-dir", join(process.execPath, "x")]);
    assert.equal(code, 1);
    assert.match(stderr, /^if-coordinator: cannot create the folder .*ENOTDIR.*--store-dir\n$/m);
  });

  it("starts the number of workers that is set, all in one queue group", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path, ["--workers", "3"]);
    const connection = await connect({ servers: await dev.natsUrl() });
    const replies = await connection.requestMany("$SRV.PING", "", {
      strategy: "count",
      maxMessages: 3,
      maxWait: 5_000,
    });
    const ids = new Set<string>();
    for await (const reply of replies) ids.add(reply.json<{ id: string }>().id);
    assert.equal(ids.size, 3);
    await connection.close();
  });

  it("ends with the reason when its server ends", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path);
    process.kill(dev.serverPid(), "SIGKILL");
    const { code, stderr } = await dev.exited;
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^if-coordinator: nats-server ended unexpectedly \(SIGKILL\): see .*nats-server\.log$/m,
    );
  });

  it("exits at once on a second signal, even if a part hangs", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path);
    // A suspended server can neither answer nor end.
    process.kill(dev.serverPid(), "SIGSTOP");
    dev.kill("SIGTERM");
    await dev.waitFor(/stopping/);
    dev.kill("SIGTERM");
    const { code, stderr } = await dev.exited;
    assert.equal(code, 1);
    assert.match(stderr, /stopped at once\n$/);
  });
});
