/** TLS on the wire and with real servers, and the error messages if it fails. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EventBus } from "../../src/client/event-bus.ts";
import { connectNats, type ConnectOptions } from "../../src/nats/connection.ts";
import { Authority, type IssuedCertificate } from "../support/certificates.ts";
import { TestServer } from "../support/nats-server.ts";
import { NotedLog } from "../support/stand-in.ts";
import { TempFolder } from "../support/temp-folder.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The first byte of a TLS handshake. */
const HANDSHAKE = "\x16";

/** The first steps of a NATS server: sends a given INFO, and records what it receives. */
class Greeter implements AsyncDisposable {
  readonly port: number;
  received = "";
  readonly #server;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(info: object): Promise<Greeter> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const greeter = new Greeter(server);
    server.on("connection", (socket) => {
      socket.on("data", (data) => {
        greeter.received += data.toString("latin1");
        if (greeter.received.startsWith(HANDSHAKE)) socket.destroy();
        if (greeter.received.includes("PING")) socket.write("PONG\r\n");
      });
      socket.on("error", () => socket.destroy());
      socket.write(`INFO ${JSON.stringify({ version: "2.12.0", proto: 1, ...info })}\r\n`);
    });
    return greeter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await Promise.resolve();
  }
}

const LOGIN = { username: "me", password: "s3cret-in-clear", maxReconnectAttempts: 0 };

describe("a server that must use TLS", () => {
  for (const [what, serversOf] of [
    ["of this one", (port: number) => [`tls://127.0.0.1:${port}`]],
    ["of another server", (port: number) => [`nats://127.0.0.1:${port}`, "tls://127.0.0.1:1"]],
  ] as const) {
    it(`receives nothing in clear if it has no TLS, with tls:// in the URL ${what}`, async () => {
      await using server = await Greeter.start({});
      const servers = serversOf(server.port);
      await assert.rejects(connectNats({ ...LOGIN, servers }), { name: "ConnectionError" });
      assert.equal(server.received, "");
    });
  }

  it("receives nothing in clear from the library either, and the error says why", async () => {
    await using server = await Greeter.start({});
    const logger = new NotedLog();
    const servers = `tls://127.0.0.1:${server.port}`;
    await using bus = new EventBus({ backend: "nats", config: { ...LOGIN, servers }, logger });
    assert.equal(await bus.connect(), false);
    assert.match(
      (await bus.health()).problem ?? "",
      /\(TLS is required, and the server has none\): nothing was sent\. Configure TLS in the server/,
    );
    assert.equal(server.received, "");
  });

  it("receives no password if it offers TLS and then aborts the handshake", async () => {
    await using server = await Greeter.start({ tls_available: true });
    const servers = [`tls://127.0.0.1:${server.port}`];
    await assert.rejects(connectNats({ ...LOGIN, servers }));
    assert.ok(!server.received.includes(LOGIN.password));
    assert.ok(server.received.startsWith(HANDSHAKE));
  });

  it("must also use TLS if a CA is configured", async () => {
    await using folder = await TempFolder.create();
    const caCert = await new Authority("ca").certificate(folder.path);
    await using server = await Greeter.start({});
    const servers = [`nats://127.0.0.1:${server.port}`];
    await assert.rejects(connectNats({ ...LOGIN, servers, caCert }), /TLS is required/);
    assert.equal(server.received, "");
  });

  it("is not a server with nats:// and without a CA", async () => {
    await using server = await Greeter.start({});
    const servers = [`nats://127.0.0.1:${server.port}`];
    const connection = await connectNats({ ...LOGIN, servers });
    assert.match(server.received, /s3cret-in-clear/);
    await connection.close();
  });
});

describe("a server with TLS", () => {
  let folder: TempFolder;
  let authority: Authority;
  let caCert: string;
  let client: IssuedCertificate;
  const servers = new Map<string, TestServer>();

  /** One server for each kind of certificate. */
  const startServer = async (
    name: string,
    certificate: Parameters<Authority["issue"]>[2],
    more = "",
  ): Promise<void> => {
    const { cert, key } = await authority.issue(folder.path, name, certificate);
    const config = `tls { cert_file: "${cert}", key_file: "${key}"${more} }`;
    servers.set(name, await TestServer.start({ config, jetstream: false }));
  };

  const urlOf = (name: string, host = "127.0.0.1"): string =>
    `tls://${host}:${servers.get(name)?.port ?? 0}`;

  const failure = async (name: string, options: Partial<ConnectOptions> = {}): Promise<string> => {
    try {
      const connection = await connectNats({
        servers: [urlOf(name)],
        maxReconnectAttempts: 0,
        ...options,
      });
      await connection.close();
    } catch (error) {
      return (error as Error).message;
    }
    assert.fail("it should not connect");
  };

  const connects = async (name: string, options: Partial<ConnectOptions>): Promise<void> => {
    const connection = await connectNats({ servers: [urlOf(name)], ...options });
    await connection.flush();
    await connection.close();
  };

  before(async () => {
    folder = await TempFolder.create();
    authority = new Authority("ca");
    caCert = await authority.certificate(folder.path);
    client = await authority.issue(folder.path, "client");
    const here = { ips: ["127.0.0.1"] };
    await startServer("by-address", here);
    await startServer("by-name", { names: ["localhost"] });
    await startServer("expired", { ...here, expiresAt: new Date(Date.now() - DAY_MS / 24) });
    await startServer("verifying", here, `, verify: true, ca_file: "${caCert}"`);
  });

  after(async () => {
    for (const server of servers.values()) await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it("is accepted if the CA of its certificate is configured", async () => {
    await connects("by-address", { caCert });
    await connects("by-name", { caCert, servers: [urlOf("by-name", "localhost")] });
    await connects("by-address", {
      caCert,
      servers: [urlOf("by-address").replace("tls:", "nats:")],
    });
  });

  it("must have a certificate for the address in its URL, not for localhost", async () => {
    for (const [name, host] of [
      ["by-name", "127.0.0.1"],
      ["by-address", "localhost"],
    ] as const) {
      assert.match(
        await failure(name, { caCert, servers: [urlOf(name, host)] }),
        /does not match .*: the server's certificate is for another host: use a name of the cert/,
      );
    }
  });

  it("is refused without a CA, and the error names the setting", async () => {
    const cure =
      /know the authority .* set the path of its certificate as nats\.ca_cert, .*caCert$/;
    assert.match(await failure("by-address"), cure);
    const plain = urlOf("by-address").replace("tls:", "nats:");
    assert.match(await failure("by-address", { servers: [plain] }), cure);
  });

  it("is refused with another CA", async () => {
    const other = await new Authority("other").certificate(folder.path);
    assert.match(
      await failure("by-address", { caCert: other }),
      /was not issued by the authority in nats\.ca_cert, .*: use the one that issued it$/,
    );
  });

  it("must have a certificate that has not expired", async () => {
    assert.match(await failure("expired", { caCert }), /expired\): give the server a new cert/);
  });

  it("may require a client certificate, and the error names the settings", async () => {
    assert.match(
      await failure("verifying", { caCert }),
      /requires a client certificate\): set nats\.key_file and nats\.cert_file, which a program/,
    );
    await connects("verifying", { caCert, certFile: client.cert, keyFile: client.key });
  });

  it("may reject the client certificate", async () => {
    const foreign = await new Authority("foreign").issue(folder.path, "foreign-client");
    const files = { certFile: foreign.cert, keyFile: foreign.key };
    assert.match(
      await failure("verifying", { caCert, ...files }),
      /not accept the client certificate\): use one that the server trusts: set nats\.key_file and nats\.cert_file/,
    );
  });

  it("is not contacted if a file cannot be used, and the error names the file and its setting", async () => {
    const missing = join(folder.path, "missing.pem");
    const garbage = join(folder.path, "garbage.pem");
    await writeFile(garbage, "not a certificate\n");
    for (const [options, message] of [
      [{ caCert: missing }, /missing\.pem cannot be read \(ENOENT.*: correct .* nats\.ca_cert/],
      [{ caCert: folder.path }, /cannot be read \(EISDIR.*: correct the path in nats\.ca_cert/],
      [{ caCert: garbage }, /garbage\.pem has no certificate in PEM form: .* nats\.ca_cert/],
      [
        { certFile: garbage, keyFile: client.key },
        /no certificate in PEM form: .* nats\.cert_file/,
      ],
      [{ certFile: client.cert, keyFile: missing }, /cannot be read .* nats\.key_file/],
      [
        { certFile: client.cert, keyFile: garbage },
        /no private key in PEM form: .* nats\.key_file/,
      ],
      [
        { certFile: caCert, keyFile: client.key },
        /client\.key is not the key of the certificate .*ca\.pem: correct nats\.key_file and nats\.cert_file/,
      ],
    ] as const) {
      assert.match(await failure("by-address", options), message);
    }
  });
});

describe("a credentials file", () => {
  it("must be one, and the error names its setting", async () => {
    await using folder = await TempFolder.create();
    const credsFile = join(folder.path, "my.creds");
    const servers = ["nats://127.0.0.1:1"];
    for (const content of ["", "no credentials\n", "-----BEGIN NATS USER JWT-----\nabc\n"]) {
      await writeFile(credsFile, content);
      await assert.rejects(connectNats({ servers, credsFile }), {
        name: "ConnectionError",
        message:
          /my\.creds has no user JWT and seed: use the credentials file that .*, and correct nats\.creds_file, which/,
      });
    }
  });
});
