import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { StartupError } from "../../src/app.ts";
import {
  ConnectionError,
  connectNats,
  type ConnectOptions,
  listenToConnection,
} from "../../src/nats/connection.ts";
import { requireJetStream } from "../../src/nats/require-jetstream.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** A server without JetStream, with a configuration file that does not enable it. */
const NO_JETSTREAM = { config: "debug: false", jetstream: false } as const;

const TWO_ACCOUNTS = `
jetstream: enabled
accounts {
  WITH { jetstream: enabled, users: [{ user: with, password: secret }] }
  WITHOUT { users: [{ user: without, password: secret }] }
}`;

type Disposable = NatsConnection & AsyncDisposable;

async function connected(options: ConnectOptions): Promise<Disposable> {
  const connection = await connectNats(options);
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

describe("connecting to NATS", () => {
  it("says which server does not answer, and how to name another", async () => {
    const url = `nats://127.0.0.1:${await takePort()}`;
    await assert.rejects(connectNats({ servers: [url] }), {
      name: "ConnectionError",
      message: new RegExp(
        `^cannot connect to NATS at ${url} \\(.+\\): start a server, or name another with --nats`,
      ),
    });
  });

  it("closes the connection to a server that sends nothing", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const closed = once(server, "connection").then(([socket]) => {
      const resumed = (socket as Socket).resume();
      return once(resumed, "close");
    });
    await assert.rejects(connectNats({ servers: [`nats://127.0.0.1:${port}`] }), {
      name: "ConnectionError",
      message: /timeout/i,
    });
    await closed;
    server.close();
  });

  it("logs in with user and password, and names both settings if one is wrong", async () => {
    await using server = await TestServer.start({ config: TWO_ACCOUNTS });
    const login = { servers: [server.url], username: "with", password: "secret" };
    await using connection = await connected(login);
    assert.equal(connection.isClosed(), false);
    await assert.rejects(connectNats({ ...login, password: "wrong" }), {
      name: "ConnectionError",
      message: /\(Authorization Violation\): check nats\.username and nats\.password/i,
    });
  });

  it("logs in with a token", async () => {
    const config = 'jetstream: enabled\nauthorization { token: "s3cret" }';
    await using server = await TestServer.start({ config });
    await using connection = await connected({ servers: [server.url], token: "s3cret" });
    await requireJetStream(connection);
    await assert.rejects(connectNats({ servers: [server.url] }), /nats\.token/);
  });

  it("ignores the line end that a password or token from a file has", async () => {
    await using server = await TestServer.start({ config: TWO_ACCOUNTS });
    for (const end of ["\n", "\r\n"]) {
      const login = { username: `with${end}`, password: `secret${end}` };
      await using connection = await connected({ servers: [server.url], ...login });
      assert.equal(connection.isClosed(), false);
    }
    const config = 'authorization { token: "s3cret" }';
    await using other = await TestServer.start({ config, jetstream: false });
    await using connection = await connected({ servers: [other.url], token: "s3cret\n" });
    assert.equal(connection.isClosed(), false);
  });

  it("names the setting whose file is missing", async () => {
    await using folder = await TempFolder.create();
    const credsFile = join(folder.path, "missing.creds");
    await assert.rejects(connectNats({ servers: ["nats://127.0.0.1:1"], credsFile }), {
      name: "ConnectionError",
      message: /missing\.creds.*correct the path in nats\.creds_file/,
    });
  });

  it("reports when the connection is lost and when it is restored", async () => {
    await using server = await TestServer.start();
    await using connection = await connected({ servers: [server.url], reconnectTimeWait: 0 });
    const told = new EventEmitter();
    listenToConnection(connection, {
      disconnected: () => told.emit("disconnected"),
      reconnected: (address) => told.emit("reconnected", address),
    });
    const [disconnected, reconnected] = [once(told, "disconnected"), once(told, "reconnected")];
    await server.kill();
    await disconnected;
    await server.restart();
    assert.match(String(await reconnected), new RegExp(`:${server.port}$`));
  });
});

describe("a connection whose server has lost its power", () => {
  it("is given up after half a minute, even with more to send than fits, and replaced", async (test) => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    test.mock.timers.enable({ apis: ["setTimeout"] });
    await using connection = await connected({ servers: [proxy.url], reconnectTimeWait: 0 });
    const told = new EventEmitter();
    listenToConnection(connection, {
      disconnected: () => told.emit("disconnected"),
      reconnected: (address) => told.emit("reconnected", address),
    });
    const [disconnected, reconnected] = [once(told, "disconnected"), once(told, "reconnected")];
    proxy.freeze();
    for (let mib = 0; mib < 16; mib++) connection.publish("a", new Uint8Array(2 ** 20 - 512));
    for (let pings = 0; pings < 3; pings++) test.mock.timers.tick(10_000);
    test.mock.timers.reset();
    await disconnected;
    await reconnected;
    await connection.flush();
  });
});

describe("the requirements on the server", () => {
  it("are met by a server with JetStream", async () => {
    await using server = await TestServer.start();
    await using connection = await connected({ servers: [server.url] });
    await requireJetStream(connection);
  });

  it("include JetStream, and the error says how to enable it", async () => {
    await using server = await TestServer.start(NO_JETSTREAM);
    await using connection = await connected({ servers: [server.url] });
    await assert.rejects(requireJetStream(connection), (error: Error) => {
      assert.ok(error instanceof ConnectionError);
      assert.match(error.message, new RegExp(`:${server.port} has no JetStream`));
      assert.match(error.message, /start it with --jetstream/);
      return true;
    });
  });

  it("include JetStream for the account of the coordinator", async () => {
    await using server = await TestServer.start({ config: TWO_ACCOUNTS });
    const login = { servers: [server.url], password: "secret" };
    await using without = await connected({ ...login, username: "without" });
    await assert.rejects(requireJetStream(without), /enable JetStream in the account/);
    await using having = await connected({ ...login, username: "with" });
    await requireJetStream(having);
  });

  it("include a version, and the error names the actual and the required version", async () => {
    await using server = await TestServer.start();
    for (const [version, needed, why] of [
      ["2.10.4", "2.11.16", "per-key TTL"],
      ["1.4.1", "2.11.16", "per-key TTL"],
      ["2.11.15", "2.11.16", "security fixes"],
      ["2.12.6-RC.1", "2.12.7", "security fixes"],
    ] as const) {
      await using proxy = await NatsProxy.start(server.port, { version });
      await using connection = await connected({ servers: [proxy.url] });
      await assert.rejects(requireJetStream(connection), (error: Error) => {
        assert.ok(error instanceof ConnectionError);
        const refusal = `is version ${version}, but at least ${needed} is needed (${why})`;
        assert.ok(error.message.endsWith(`${refusal}: upgrade it to ${needed} or newer`));
        return true;
      });
    }
  });

  it("are met by the oldest supported version, and by its pre-releases", async () => {
    await using server = await TestServer.start();
    for (const version of ["2.11.16", "2.12.7-RC.1", "2.14.0", "2.100.0", "3.0.0"]) {
      await using proxy = await NatsProxy.start(server.port, { version });
      await using connection = await connected({ servers: [proxy.url] });
      await requireJetStream(connection);
    }
  });

  it("are checked when a coordinator starts, before it creates anything on a server that is too old", async () => {
    await assert.rejects(TestCoordinator.start({ server: NO_JETSTREAM }), (error: Error) => {
      assert.ok(error instanceof StartupError);
      assert.match(error.message, /has no JetStream for this account: start it with --jetstream/);
      return true;
    });

    await using coordinator = await TestCoordinator.start({ workers: 1 });
    await coordinator.ok("tasks.create.a");
    await using proxy = await NatsProxy.start(coordinator.server.port, { version: "2.10.4" });
    const settings = { "nats.servers": [proxy.url] };
    await assert.rejects(coordinator.addWorkers(1, { settings }), (error: Error) => {
      assert.ok(error instanceof StartupError);
      assert.match(error.message, /is version 2\.10\.4, but at least 2\.11\.16 is needed/);
      return true;
    });
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "available");
  });
});
