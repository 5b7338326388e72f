/** What doctor says if there is no coordinator at the address. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { runCli } from "../../support/cli-process.ts";
import { NatsProxy } from "../../support/nats-proxy.ts";
import { Authority } from "../../support/certificates.ts";
import { takePort } from "../../../scripts/lab/ports.ts";
import { TestServer } from "../../support/nats-server.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { respond } from "../../support/stand-in.ts";
import { diagnose, textOf } from "./diagnose.ts";

describe("if-coordinator doctor, without a coordinator", () => {
  it("says what answers at an address that is not a NATS server, and ends with 7", async () => {
    await using mail = await Listener.start("220 mail.example ESMTP\r\n");
    await using web = await Listener.start("", "HTTP/1.1 400 Bad Request\r\n\r\n");
    await using silent = await Listener.start("");
    const cases = [
      ["nats://127.0.0.1:1", "connection_refused"],
      ["nats://no-such-host.invalid:4222", "host_not_found"],
      [mail.url, "not_nats"],
      [web.url, "http_port"],
      [silent.url, "silent"],
    ] as const;
    const diagnoses = await Promise.all(cases.map(([url]) => diagnose(url)));
    for (const [at, [url, code]] of cases.entries()) {
      assert.deepEqual([diagnoses[at]?.code, diagnoses[at]?.bad], [7, [code]], url);
    }
    const { stdout, code } = await runCli(["doctor", "--nats", "nats://127.0.0.1:1"]);
    assert.equal(code, 7);
    assert.match(
      stdout,
      /^✘ servers +127\.0\.0\.1:1: nothing listens there\n +→ start a NATS server/,
    );
    assert.match(stdout, /^– 20 checks +not checked: there is no connection \(connection, TLS, /m);
  });

  it("tells a wrong password, and a wrong server list, from a missing server", async () => {
    await using server = await TestServer.start({
      config: 'jetstream: enabled\nauthorization { user: alice, password: "right" }',
    });
    const refused = await diagnose(server.url, "--user", "alice", "--password", "wrong");
    assert.deepEqual([refused.code, refused.bad], [7, ["login_refused"]]);
    assert.match(textOf(refused, "login_refused"), /Authorization Violation/i);
    const { code, stderr } = await runCli(["doctor", "--nats", "http://127.0.0.1:8222"]);
    assert.equal(code, 2);
    assert.match(stderr, /a NATS server does not take requests by HTTP/);
  });

  it("finds that no worker runs, that JetStream is off, and that the server is too old", async () => {
    await using withJetStream = await TestServer.start();
    await using without = await TestServer.start({ config: "debug: false", jetstream: false });
    await using old = await NatsProxy.start(withJetStream.port, { version: "2.10.29" });
    await using defective = await NatsProxy.start(withJetStream.port, { version: "2.14.2" });
    await using mute = await TestServer.start();
    await respond(await mute.connect(), () => null);
    const urls = [withJetStream.url, without.url, old.url, defective.url, mute.url];
    const [noWorker, noJetStream, tooOld, knownBad, noAnswer] = await Promise.all(
      urls.map((url) => diagnose(url)),
    );
    assert.ok(noWorker && noJetStream && tooOld && knownBad && noAnswer);
    assert.equal(noAnswer.code, 7);
    assert.match(textOf(noAnswer, "not_answered"), /no answer from tasks\.stats within 5000 ms/);
    const missing = [...Array.from({ length: 4 }, () => "bucket_missing"), "no_worker"];
    assert.deepEqual([noWorker.code, noWorker.bad], [7, missing]);
    assert.deepEqual([noJetStream.code, noJetStream.bad], [7, ["no_jetstream", "no_worker"]]);
    assert.deepEqual([tooOld.code, tooOld.bad], [7, ["version_refused", ...missing]]);
    assert.match(textOf(tooOld, "version_refused"), /2\.10\.29, but at least 2\.11\.16 is needed/);
    assert.equal(
      tooOld.findings.find(({ code }) => code === "version_refused")?.cure,
      "upgrade nats-server to 2.11.16 or newer",
    );
    assert.deepEqual(knownBad.bad, ["version_known_bad", ...missing]);
    assert.match(textOf(knownBad, "version_known_bad"), /2\.14\.2 can refuse every write/);
  });

  it("says how long the certificate is valid, and which monitoring port does not answer", async () => {
    await using folder = await TempFolder.create();
    const authority = new Authority("ca");
    const ca = await authority.certificate(folder.path);
    const expiresAt = new Date(Date.now() + 7 * 24 * 60 * 60 * 1000);
    const options = { ips: ["127.0.0.1"], expiresAt };
    const { cert, key } = await authority.issue(folder.path, "server", options);
    const monitor = await takePort();
    await using server = await TestServer.start({
      config: `jetstream { sync_interval: always }, http: 127.0.0.1:${monitor}
        tls { cert_file: "${cert}", key_file: "${key}" }`,
    });
    const [good, dead] = [`http://127.0.0.1:${monitor}`, "http://127.0.0.1:1"];
    const diagnosis = await diagnose(
      server.url.replace("nats:", "tls:"),
      ...["--tlsca", ca, "--monitor", `${good},${dead}`],
    );
    assert.match(textOf(diagnosis, "certificate_ends"), /^the server's certificate ends on \d{4}-/);
    const disk = diagnosis.findings.filter(({ check }) => check === "disk");
    assert.match(disk[0]?.text ?? "", /each write is synced to disk; 0 bytes of .* used/);
    assert.match(disk[1]?.text ?? "", /not known for http:\/\/127\.0\.0\.1:1$/);
    const untrusted = await diagnose(server.url.replace("nats:", "tls:"));
    assert.match(textOf(untrusted, "not_connected"), /does not know the authority/);
  });

  it("finds buckets that no worker would accept", async () => {
    await using server = await TestServer.start();
    const jsm = await jetstreamManager(await server.connect());
    const kv = { allow_direct: true, allow_rollup_hdrs: true, retention: RetentionPolicy.Limits };
    await jsm.streams.add({
      ...{ ...kv, name: "KV_tasks", subjects: ["$KV.tasks.>"], storage: StorageType.Memory },
      ...{ max_age: 3_600_000_000_000, max_bytes: 1024 },
    });
    await jsm.streams.add({ ...kv, name: "KV_leases", subjects: ["$KV.leases.>"] });
    const diagnosis = await diagnose(server.url);
    const text = textOf(diagnosis, "bucket_refused");
    assert.match(text, /"tasks": storage is "memory" but must be "file"; .*max_age is /);
    assert.match(text, /"leases": .*subject_delete_marker_ttl is 0 but must be set/);
    assert.match(textOf(diagnosis, "bucket_missing"), /^the bucket "sessions" does not exist$/m);
  });
});

/** Accepts connections, says something, and answers what it is told. */
class Listener implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.url = `nats://127.0.0.1:${port}`;
    this.#close = close;
  }

  static async start(greeting: string, answer = ""): Promise<Listener> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.write(greeting);
      socket.on("data", () => socket.write(answer));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Listener((server.address() as AddressInfo).port, () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}
