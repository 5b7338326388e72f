/** Requests without the NATS library: what they can do on a real server, and when they leave it to the library. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { describe, it } from "node:test";
import { connectPlainly, PlainConnection } from "../../src/nats/plain-connection.ts";
import type { ConnectOptions } from "../../src/nats/connection.ts";
import { RequestFailedError } from "../../src/nats/requester.ts";
import { WireReader } from "../../src/nats/wire-reader.ts";
import { TestServer } from "../support/nats-server.ts";
import { SecuredServer } from "../support/secured-server.ts";

async function plainTo(options: ConnectOptions): Promise<PlainConnection & Disposable> {
  const plain = await connectPlainly(options);
  assert.ok(plain instanceof PlainConnection, typeof plain === "string" ? plain : "");
  const dispose = (): void => {
    plain.close();
  };
  return Object.assign(plain, { [Symbol.dispose]: dispose });
}

function fails(problem: string): (error: unknown) => boolean {
  return (error) => error instanceof RequestFailedError && error.problem === problem;
}

describe("a plain connection", () => {
  it("sends requests at once, and gets the reply of each", async () => {
    await using server = await TestServer.start({ jetstream: false });
    const other = await server.connect();
    other.subscribe("double", {
      callback: (_, msg) => {
        // Later requests are answered first.
        setTimeout(() => msg.respond(msg.string().repeat(2)), 10 - msg.string().length);
      },
    });
    await other.flush();
    using plain = await plainTo({ servers: [server.url] });
    const texts = ["", "a", "über", "x".repeat(8)];
    const replies = texts.map((text) => plain.request("double", text, 5_000));
    assert.deepEqual(
      await Promise.all(replies),
      texts.map((text) => text.repeat(2)),
    );
    const long = "y".repeat(400_000);
    assert.equal(await plain.request("double", long, 5_000), long.repeat(2));
    await assert.rejects(plain.request("nobody", "", 5_000), fails("no_responders"));
    const tooLong = "z".repeat(plain.maxPayload + 1);
    await assert.rejects(plain.request("double", tooLong, 5_000), fails("too_large"));
  });

  it("fails a request without an answer, and all requests when it is lost", async () => {
    await using server = await TestServer.start({ jetstream: false });
    const other = await server.connect();
    other.subscribe("silent", { callback: () => undefined });
    await other.flush();
    using plain = await plainTo({ servers: [server.url] });
    await assert.rejects(plain.request("silent", "", 10), fails("timeout"));
    const waiting = assert.rejects(plain.request("silent", "", 60_000), fails("failed"));
    await server.kill();
    await waiting;
    assert.equal(plain.isOpen, false);
  });

  it("ends with the request that is aborted", async () => {
    await using server = await TestServer.start({ jetstream: false });
    const other = await server.connect();
    const received = new Promise<void>((resolve) => {
      other.subscribe("silent", {
        callback: () => {
          resolve();
        },
      });
    });
    await other.flush();
    using plain = await plainTo({ servers: [server.url] });
    const abort = new AbortController();
    const waiting = plain.request("silent", "", 60_000, abort.signal);
    await received;
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.equal(plain.isOpen, false);
  });

  it("logs in with a user or a token", async () => {
    const password = `authorization { users: [
      { user: alice, password: "se cret", permissions: { publish: "ok", subscribe: "_INBOX_a.>" } } ] }`;
    await using byPassword = await TestServer.start({ config: password, jetstream: false });
    const alice = { servers: [byPassword.url], username: "alice", password: "se cret\n" };
    using own = await plainTo({ ...alice, inboxPrefix: "_INBOX_a" });
    await assert.rejects(own.request("ok", "", 5_000), fails("no_responders"));
    await assert.rejects(own.request("other", "", 5_000), fails("not_permitted"));
    assert.equal(await connectPlainly(alice), "unsuitable", "no replies can arrive");
    const wrong = { ...alice, inboxPrefix: "_INBOX_a", password: "no" };
    assert.equal(await connectPlainly(wrong), "unsuitable");

    const config = 'authorization { token: "t" }';
    await using byToken = await TestServer.start({ config, jetstream: false });
    using token = await plainTo({ servers: [byToken.url], token: "t" });
    await assert.rejects(token.request("nobody", "", 5_000), fails("no_responders"));
  });

  it("logs in with credentials", async () => {
    await using secured = await SecuredServer.start();
    const servers = [secured.server.url];
    for (const name of ["alice", "bob"]) await secured.add(name);
    const credsFile = secured.folder.credentialsFile("alice");
    // An agent receives replies below a prefix of its own only.
    const alice = { servers, credsFile, inboxPrefix: "_INBOX_alice" };
    using plain = await plainTo(alice);
    await assert.rejects(
      plain.request("agent.alice.tasks.get.a", "", 5_000),
      fails("no_responders"),
    );
    const own = await readFile(credsFile, "utf8");
    const other = await readFile(secured.folder.credentialsFile("bob"), "utf8");
    // The key of another user does not fit.
    await writeFile(credsFile, own.slice(0, own.indexOf("*")) + other.slice(other.indexOf("*")));
    assert.equal(await connectPlainly(alice), "unsuitable");
    await writeFile(credsFile, "nothing");
    assert.equal(await connectPlainly(alice), "unsuitable");
  });

  it("is left to the library for TLS, several servers, an NKey, or a server that is none", async () => {
    const servers = ["nats://127.0.0.1:9"];
    const caCert = "ca.pem";
    for (const options of [
      { servers: ["tls://127.0.0.1:9"] },
      { servers: [...servers, "nats://127.0.0.1:10"] },
      { servers: ["http://127.0.0.1:9"] },
      { servers, caCert },
      { servers, inboxPrefix: "a.*" },
    ]) {
      assert.equal(await connectPlainly(options), "unsuitable");
    }
    assert.equal(await connectPlainly({ servers }), "unreachable");
    for (const hello of [
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "INFO {\r\n",
      'INFO {"headers":true,"tls_available":true}\r\n',
    ]) {
      const stranger = createServer((socket) => {
        socket.on("error", () => undefined);
        socket.end(hello);
      }).listen(0, "127.0.0.1");
      await once(stranger, "listening");
      const { port } = stranger.address() as AddressInfo;
      assert.equal(await connectPlainly({ servers: [`127.0.0.1:${port}`] }), "unsuitable");
      stranger.close();
    }
    await using server = await TestServer.start({ jetstream: false });
    assert.equal(await connectPlainly({ servers: [server.url], nkeyFile: "nk" }), "unsuitable");
  });
});

describe("what a NATS server sends", () => {
  it("is read in the same way, wherever its chunks end", () => {
    const all = Buffer.from(
      'INFO {"a":1}\r\nPING\r\nMSG in.1 1 5\r\nü\r\nx\r\nHMSG in.2 1 16 19\r\nNATS/1.0 503\r\n\r\nabc\r\n' +
        "MSG in.3 1 r 0\r\n\r\n-ERR 'no'\r\n",
    );
    const expected = [
      { verb: "INFO", rest: '{"a":1}', text: "", status: "" },
      { verb: "PING", rest: "", text: "", status: "" },
      { verb: "MSG", rest: "in.1 1 5", text: "ü\r\nx", status: "" },
      { verb: "HMSG", rest: "in.2 1 16 19", text: "abc", status: "503" },
      { verb: "MSG", rest: "in.3 1 r 0", text: "", status: "" },
      { verb: "-ERR", rest: "'no'", text: "", status: "" },
    ];
    for (let size = 1; size <= all.length; size++) {
      const reader = new WireReader();
      const frames = [];
      for (let at = 0; at < all.length; at += size) {
        frames.push(...reader.read(all.subarray(at, at + size)));
      }
      assert.deepEqual(frames, expected, `chunks of ${size} bytes`);
    }
  });
});
