/** How commands reach NATS and log in, with real servers, and what they say if they cannot. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { nkeys } from "@nats-io/nats-core";
import { Authority } from "../support/certificates.ts";
import { type CliExit, CliProcess, runCli } from "../support/cli-process.ts";
import { natsCliMissing, PATH_WITH_NATS } from "../support/nats-cli.ts";
import { TestServer } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** No context and no variable of the person who runs the tests. */
function get(args: readonly string[], env: Record<string, string> = {}): Promise<CliExit> {
  const clean = { NATS_URL: "", NATS_CONTEXT: "", XDG_CONFIG_HOME: "/nowhere" };
  return runCli(["task", "get", "a", ...args], { env: { ...clean, ...env } });
}

function isRefused({ code, stdout, stderr }: CliExit, exitCode: number, text: RegExp): void {
  assert.deepEqual([code, stdout], [exitCode, ""], stderr);
  assert.match(stderr, /^if-coordinator: [^\n]+\n(\([^\n]+\)\n)*$/, "one sentence");
  assert.match(stderr, text);
}

describe("the login of a command", () => {
  it("is a user, an NKey, a token in the URL, or a context of the nats command line", async (t) => {
    await using folder = await TempFolder.create();
    const user = nkeys.createUser();
    const seed = join(folder.path, "user.nk");
    await writeFile(seed, `${new TextDecoder().decode(user.getSeed())}\n`);
    const config = `
      jetstream {}
      no_auth_user: worker
      authorization { users: [
        { user: worker, password: w }
        { user: alice, password: "se cret%", permissions: { publish: "tasks.get.>", subscribe: "_INBOX.>" } }
        { nkey: ${user.getPublicKey()}, permissions: { publish: "tasks.get.>", subscribe: "_INBOX.>" } }
      ] }`;
    await using coordinator = await TestCoordinator.start({ server: { config } });
    await coordinator.ok("tasks.create.a");
    const { url, port } = coordinator.server;
    const logins: (readonly [string[], Record<string, string>?])[] = [
      [["--nats", url, "--user", "alice", "--password", "se cret%"]],
      [["--nats", url, "--nkey", seed]],
      [["--nats", `nats://alice:se%20cret%25@127.0.0.1:${port}`]],
      [[], { NATS_URL: `nats://alice:se cret%@127.0.0.1:${port}` }],
      [["--nats", url], { IF_COORDINATOR_NATS_NKEY_FILE: seed }],
    ];
    if (natsCliMissing() === false) {
      const add = ["context", "add", "alice", "--server", url, "--user", "alice"];
      const env = { PATH: PATH_WITH_NATS, XDG_CONFIG_HOME: folder.path, HOME: folder.path };
      const made = await runCli([...add, "--password", "se cret%"], { program: ["nats"], env });
      assert.equal(made.code, 0, made.stderr);
      logins.push([["--context", "alice"], env], [[], { ...env, NATS_CONTEXT: "alice" }]);
      const unknown = await get(["--context", "alcie"], env);
      isRefused(unknown, 2, /there is no NATS context "alcie": did you mean alice\?/);
    } else t.diagnostic("without the nats command line");
    for (const [args, env] of logins) {
      const { code, stderr } = await get(args, env);
      assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    }
    // The user may only get tasks, so the login was that of the user.
    const forbidden = await runCli([
      "task",
      "claim",
      "a",
      "-s",
      "s",
      "--nats",
      url,
      "--nkey",
      seed,
    ]);
    isRefused(forbidden, 3, /does not permit requests to tasks\.claim\.a/);

    const login = /check --user and --password, --creds, --nkey or --context/;
    isRefused(await get(["--nats", url, "--user", "alice", "--password", "no"]), 7, login);
    const other = join(folder.path, "other.nk");
    await writeFile(other, nkeys.createUser().getSeed());
    isRefused(await get(["--nats", url, "--nkey", other]), 7, login);
    await writeFile(other, "nonsense");
    isRefused(await get(["--nats", url, "--nkey", other]), 2, /other\.nk has no NKey seed.*--nkey/);
    isRefused(await get(["--nats", url, "--creds", "/nowhere"]), 2, /ENOENT.*path in --creds/);
    isRefused(await get(["--nkey", seed, "--user", "alice"]), 2, /cannot be used with/);
  });

  it("is refused for a context that is empty, unreadable or malformed", async () => {
    await using home = await TempFolder.create();
    const contexts = join(home.path, "nats", "context");
    await mkdir(join(contexts, "folder.json"), { recursive: true });
    await writeFile(join(contexts, "broken.json"), "{");
    const env = { XDG_CONFIG_HOME: home.path };
    isRefused(await get(["--context", ""], env), 2, /must not be empty/);
    isRefused(await get(["--context", "folder"], env), 2, /folder\.json cannot be read/);
    isRefused(await get(["--context", "broken"], env), 2, /broken\.json is not valid JSON/);
  });

  it("verifies the server by TLS", async () => {
    await using folder = await TempFolder.create();
    const authority = new Authority("ca");
    const ca = await authority.certificate(folder.path);
    const server = await authority.issue(folder.path, "server", { ips: ["127.0.0.1"] });
    const client = await authority.issue(folder.path, "client");
    const config = `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${ca}", verify: true }`;
    await using nats = await TestServer.start({ config, jetstream: false });
    const url = ["--nats", `tls://127.0.0.1:${nats.port}`, "--timeout", "100ms"];
    const tls = ["--tlsca", ca, "--tlscert", client.cert, "--tlskey", client.key];
    // It has logged in, and no worker answers.
    const nobody = await get([...url, ...tls, "--json"]);
    assert.deepEqual([nobody.code, nobody.stdout], [7, ""]);
    assert.match(nobody.stderr, /^\{.*no coordinator is running there.*\}\n$/);
    isRefused(await get([...url, ...tls.slice(2)]), 7, /certificate.*as --tlsca/);
    isRefused(await get([...url, "--tlsca", ca]), 7, /set --tlscert and --tlskey/);
    isRefused(await get([...url, "--tlsca", client.key]), 2, /no certificate in PEM form.*--tlsca/);
  });
});

describe("a command without a coordinator", () => {
  it("ends with exit code 7, or 2 for a wrong URL, and says what is missing", async () => {
    isRefused(
      await get(["--nats", "nats://127.0.0.1:1"]),
      7,
      /start a server, or name another with --nats/,
    );
    isRefused(
      await get(["--nats", "nats://nowhere.invalid"]),
      7,
      /correct the host name in --nats/,
    );
    isRefused(await get(["--nats", "http://localhost"]), 2, /does not take requests by HTTP/);
    isRefused(await get(["--nats", "nats://localhost:99999"]), 2, /port is not a number/);
    isRefused(
      await get(["--nats", ""]),
      2,
      /'--nats <url,...>' argument '' is invalid\. It must not be empty/,
    );
    await using server = await TestServer.start({ jetstream: false });
    const nobody = await get(["--nats", server.url, "--timeout", "50ms", "--json"]);
    assert.deepEqual([nobody.code, nobody.stdout], [7, ""]);
    const { error } = JSON.parse(nobody.stderr) as { error: { code: string } };
    assert.equal(error.code, "unavailable");
  });

  it("can be interrupted while it waits for a server that says nothing", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    await using cli = new CliProcess(["task", "get", "a", "--nats", `127.0.0.1:${port}`]);
    const [socket] = await once(silent, "connection");
    cli.interrupt();
    const { signal, stdout, stderr } = await cli.exited;
    // A shell reports it as 130.
    assert.deepEqual([signal, stdout, stderr], ["SIGINT", "", ""]);
    socket.destroy();
    silent.close();
  });
});
