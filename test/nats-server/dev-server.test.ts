import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import {
  type DevServerOptions,
  type RestartableServer,
  startDevServer,
  startNatsServer,
} from "../../src/nats-server/dev-server.ts";
import { readServerInfo } from "../../src/nats-server/server-info.ts";
import { ownFolder } from "../../src/nats-server/store-owner.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

async function devServer(
  options: Partial<DevServerOptions> & { storeDir: string },
): Promise<RestartableServer & AsyncDisposable> {
  const server = await startDevServer({ binary: await serverBinary(), port: 0, ...options });
  return { ...server, [Symbol.asyncDispose]: () => server.stop() };
}

/** Writes one message into a stream, creates the stream if needed, and returns its number of messages. */
async function writeTo(url: string): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "kept", subjects: ["kept"] });
    await jetstream(connection).publish("kept", "message");
    return (await manager.streams.info("kept")).state.messages;
  } finally {
    await connection.close();
  }
}

interface DevProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly port: number;
  /** Of the server. */
  readonly pid: number;
}

/** Runs `startDevServer` in a process of its own, which ends on SIGINT without stopping the server. */
async function devProcess(storeDir: string): Promise<DevProcess> {
  const module = new URL("../../src/nats-server/dev-server.js", import.meta.url);
  const options = JSON.stringify({ binary: await serverBinary(), port: 0, storeDir });
  const code =
    `const { startDevServer } = await import(${JSON.stringify(module)});` +
    `const { port, pid } = await startDevServer(${options});` +
    "process.on('SIGINT', () => process.exit(0));" +
    "console.log(JSON.stringify({ port, pid })); setInterval(() => {}, 1000);";
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.setEncoding("utf8");
  const [line] = (await once(child.stdout, "data")) as [string];
  const server = JSON.parse(line) as { port: number; pid: number };
  return {
    child,
    ...server,
    [Symbol.asyncDispose]: async () => {
      await end(child);
      killIfThere(server.pid);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended, as it should.
  }
}

describe("a started nats-server", () => {
  it("is ready on its port, with JetStream, and has ended after it is stopped", async () => {
    await using folder = await TempFolder.create();
    const storeDir = folder.path;
    const server = await startNatsServer({ binary: await serverBinary(), port: 0, storeDir });
    const info = await readServerInfo("127.0.0.1", server.port);
    assert.equal(info?.jetstream, true);
    assert.equal(await writeTo(server.url), 1);
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.equal(await readServerInfo("127.0.0.1", server.port), undefined);
    assert.throws(() => process.kill(server.pid, 0), { code: "ESRCH" });
  });

  it("reports why it did not start, with its last log lines", async () => {
    await using folder = await TempFolder.create();
    const start = { binary: await serverBinary(), port: 0, storeDir: folder.path };
    await assert.rejects(startNatsServer({ ...start, config: "jetstream: {" }), {
      name: "NatsServerError",
      message: /did not start: ended with code 1\n.*Parse error on line/s,
    });
    await assert.rejects(startNatsServer({ ...start, config: "# nothing" }), {
      name: "NatsServerError",
      message: /runs without JetStream: enable it in nats-server\.conf/,
    });
    await assert.rejects(startNatsServer({ ...start, binary: join(start.storeDir, "none") }), {
      name: "NatsServerError",
      message: /none\) did not start: not run/,
    });
  });

  it("names a port that is taken, the program that uses it, and the option", async () => {
    await using folder = await TempFolder.create();
    const storeDir = folder.path;
    await using other = createServer((socket) => socket.destroy());
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const binary = await serverBinary();
    await assert.rejects(startNatsServer({ binary, port, storeDir }), {
      message: `port ${port} on 127.0.0.1 is taken: choose another with --port, or stop what uses it`,
    });
    await using server = await devServer({ storeDir });
    await assert.rejects(
      startNatsServer({ binary, port: server.port, storeDir: `${storeDir}/b` }),
      {
        message: /is taken by a NATS server \(version \d+\.\d+\.\d+\): choose another with --port/,
      },
    );
  });

  it("ends when the process that started it exits without stopping it", async () => {
    await using folder = await TempFolder.create();
    await using dev = await devProcess(folder.path);
    const { child, port } = dev;
    const server = await connect({ servers: `nats://127.0.0.1:${port}`, reconnect: false });
    const closed = server.closed();
    child.kill("SIGINT");
    await once(child, "exit");
    await closed;
    assert.equal(await readServerInfo("127.0.0.1", port), undefined);
  });
});

describe("the nats-server of dev", () => {
  it("keeps its data in the store folder across restarts", async () => {
    await using folder = await TempFolder.create();
    const storeDir = folder.path;
    await using first = await devServer({ storeDir });
    assert.equal(await writeTo(first.url), 1);
    await first.stop();
    await using second = await devServer({ storeDir });
    assert.equal(await writeTo(second.url), 2);
    assert.deepEqual(await readdir(storeDir), [".gitignore", "nats", "run"]);
  });

  it("starts with the configuration of the package", async () => {
    const config = await readFile(new URL("../../../nats-server.conf", import.meta.url), "utf8");
    await using folder = await TempFolder.create();
    await using server = await devServer({ storeDir: folder.path, config });
    assert.equal(await writeTo(server.url), 1);
  });

  it("refuses a second dev on the same folder while the first one runs", async () => {
    await using folder = await TempFolder.create();
    const storeDir = folder.path;
    await using server = await devServer({ storeDir });
    await assert.rejects(devServer({ storeDir }), {
      name: "FolderInUseError",
      message:
        `another if-coordinator dev (process ${process.pid}) uses the folder ${storeDir}: ` +
        "stop it, or choose another folder with --store-dir",
    });
    assert.equal(await writeTo(server.url), 1, "the first goes on");
  });

  it("replaces the server of a dev that was killed, and loses nothing", async () => {
    await using folder = await TempFolder.create();
    const storeDir = folder.path;
    await using dev = await devProcess(storeDir);
    const { child, port, pid } = dev;
    const url = `nats://127.0.0.1:${port}`;
    assert.equal(await writeTo(url), 1);
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(await writeTo(url), 2, "the server is an orphan and serves");

    const notices: string[] = [];
    await using server = await devServer({ storeDir, port, notify: (line) => notices.push(line) });
    assert.notEqual(server.pid, pid);
    assert.match(notices.join("\n"), new RegExp(`is still running \\(process ${pid}\\)`));
    assert.equal(await writeTo(server.url), 3);
  });

  it("does not touch a process that has the id of its last server by chance", async () => {
    await using folder = await TempFolder.create();
    const storeDir = folder.path;
    await mkdir(join(storeDir, "run"));
    const innocent = spawn(process.execPath, ["--eval", "setInterval(() => {}, 1000)"]);
    try {
      await once(innocent, "spawn");
      await writeFile(join(storeDir, "run", "nats-server.pid"), String(innocent.pid));
      await using server = await devServer({ storeDir });
      assert.equal(await writeTo(server.url), 1);
      assert.equal(innocent.exitCode ?? innocent.signalCode, null);
    } finally {
      await end(innocent);
    }
  });
});

describe("the owner of a folder", () => {
  it("is exactly one of many that try at once", async () => {
    await using folder = await TempFolder.create();
    const { path } = folder;
    const wishes = Array.from({ length: 8 }, () => ownFolder(path, "folder"));
    const results = await Promise.allSettled(wishes);
    const won = results.filter((result) => result.status === "fulfilled");
    assert.equal(won.length, 1);
    for (const result of results) {
      if (result.status === "rejected") assert.match(String(result.reason), /FolderInUseError/);
    }
    await won[0]?.value.release();
    assert.deepEqual(await readdir(path), []);
  });

  it("can be replaced when it is gone, with any files that it has left", async () => {
    await using folder = await TempFolder.create();
    const { path } = folder;
    const stale = { pid: 1, port: await takePort(), word: "gone" };
    for (const left of [JSON.stringify(stale), "{", ""]) {
      await writeFile(join(path, "owner.json"), left);
      const owner = await ownFolder(path, "folder");
      await assert.rejects(ownFolder(path, "folder"), { name: "FolderInUseError" });
      await owner.release();
    }
  });
});
