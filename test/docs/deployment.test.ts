/** The files for Docker, as far as they can be checked without it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { loadConfig } from "../../src/config.ts";
import { runCli } from "../support/cli-process.ts";
import { read, ROOT } from "../support/markdown.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { serverBinary, TestServer } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

interface ComposeService {
  readonly command: readonly string[];
  readonly build?: string;
  readonly image?: string;
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly environment?: Readonly<Record<string, string>>;
}

function servicesOf(path: string): [string, ComposeService][] {
  const file = parse(read(path), { merge: true }) as { services: Record<string, ComposeService> };
  return Object.entries(file.services);
}

/** What the servers are configured with in addition to their options. */
function configOf(path: string): string {
  const file = parse(read(path)) as { configs: { sync: { content: string } } };
  return file.configs.sync.content;
}

/** How often the files are synced, in nanoseconds, or `always`, as the server itself tells it. */
async function syncInForce(config: string): Promise<unknown> {
  const port = await takePort();
  await using server = await TestServer.start({ config: `${config}\nhttp: 127.0.0.1:${port}` });
  assert.ok(server.pid > 0);
  const reply = await fetch(`http://127.0.0.1:${port}/jsz`);
  const { config: inForce } = (await reply.json()) as {
    config: { sync_interval: number; sync_always?: boolean };
  };
  return inForce.sync_always === true ? "always" : inForce.sync_interval;
}

/** docs/durability.md says why. */
const SECOND_NS = 1_000_000_000;

describe("how often NATS syncs", () => {
  it("is every second on one node", async () => {
    assert.equal(await syncInForce(read("nats-server.conf")), SECOND_NS);
    assert.equal(await syncInForce(configOf("docker-compose.yml")), SECOND_NS);
  });

  it("is with every write in a cluster", async () => {
    assert.equal(await syncInForce(configOf("docs/docker-compose.cluster.yml")), "always");
  });

  it("is given to every server", () => {
    for (const path of ["docker-compose.yml", "docs/docker-compose.cluster.yml"]) {
      const servers = servicesOf(path).filter(([, { image }]) => image?.startsWith("nats:"));
      assert.ok(servers.length > 0);
      for (const [, { command, configs }] of servers) {
        assert.deepEqual(configs, [{ source: "sync", target: "/etc/nats/sync.conf" }]);
        assert.ok(command.includes("--config=/etc/nats/sync.conf"));
      }
    }
  });
});

for (const path of ["docker-compose.yml", "docs/docker-compose.cluster.yml"]) {
  describe(path, () => {
    const servers = servicesOf(path).filter(([, { image }]) => image?.startsWith("nats:") === true);
    const workers = servicesOf(path).filter(([, { build }]) => build !== undefined);

    it("starts NATS servers with options that nats-server understands", async () => {
      assert.ok(servers.length > 0);
      await using folder = await TempFolder.create();
      // It checks its options only together with a file: here the one that the servers are given.
      const file = join(folder.path, "nats-server.conf");
      await writeFile(file, configOf(path));
      for (const [, { command }] of servers) {
        const check = ["-c", file, "-t"];
        const { stderr } = await promisify(execFile)(await serverBinary(), [...command, ...check]);
        assert.match(stderr, /is valid/);
      }
    });

    it("starts workers with a command, options and settings that there are", async () => {
      assert.ok(workers.length > 0);
      for (const [, { command, environment = {} }] of workers) {
        // The first option that is not known is the one that it complains about.
        const { stderr } = await runCli([...command, "--no-such-option"]);
        assert.match(stderr, /unknown option '--no-such-option'/);
        const { nats } = loadConfig({ env: environment });
        const hosts = nats.servers.map((url) => new URL(url).hostname);
        assert.deepEqual(
          hosts,
          servers.map(([name]) => name),
        );
      }
    });

    it("builds the image from the Dockerfile of this folder", () => {
      for (const [, { build = "" }] of workers) {
        assert.ok(existsSync(join(ROOT, dirname(path), build, "Dockerfile")));
      }
    });
  });
}

describe("Dockerfile", () => {
  const lines = read("Dockerfile").split("\n");

  it("copies what there is", () => {
    const sources = lines
      .filter((line) => line.startsWith("COPY ") && !line.includes("--from"))
      .flatMap((line) => line.split(" ").slice(1, -1));
    assert.ok(sources.includes("src"));
    assert.deepEqual(
      sources.filter((source) => !existsSync(join(ROOT, source))),
      [],
    );
  });

  it("has all that a simulation needs in the image", async () => {
    await using folder = await TempFolder.create();
    const image = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
    for (const line of image.filter((one) => one.startsWith("COPY "))) {
      const words = line.split(" ").filter((word) => !word.startsWith("--"));
      const target = join(folder.path, words.at(-1) ?? "");
      for (const source of words.slice(1, -1)) {
        const from = join(ROOT, source.replace(/^\/app\//, ""));
        const isInto = (words.at(-1) ?? "").endsWith("/");
        await cp(from, isInto ? join(target, basename(from)) : target, { recursive: true });
      }
    }
    await symlink(join(ROOT, "node_modules"), join(folder.path, "node_modules"), "junction");
    const main = join(folder.path, "dist/src/cli/main.js");
    const { code, stderr, stdout } = await runCli(["simulate", "--workers", "1"], {
      program: [process.execPath, main],
      env: { IF_COORDINATOR_NATS_SERVER: await serverBinary() },
    });
    assert.equal(code, 0, stderr + stdout);
  });

  it("asks for the health of the workers with a command that there is", async () => {
    const check = /^HEALTHCHECK[^]*?CMD (\[.*\])$/m.exec(read("Dockerfile"))?.[1] ?? "[]";
    const [node, main, ...command] = JSON.parse(check) as string[];
    const entrypoint = /^ENTRYPOINT (.*)$/m.exec(read("Dockerfile"))?.[1] ?? "[]";
    assert.deepEqual([node, main], JSON.parse(entrypoint));
    const { code, stdout } = await runCli(command, {
      env: { IF_COORDINATOR_METRICS_ENABLED: "false" },
    });
    assert.equal(code, 0);
    assert.match(stdout, /not checked/);
  });

  it("sets variables that are settings", () => {
    const variables = read("Dockerfile").matchAll(/(IF_COORDINATOR_\w+)=(\S+)/g);
    const env = Object.fromEntries(
      [...variables].map(([, name = "", value = ""]) => [name, value]),
    );
    assert.equal(loadConfig({ env }).metrics.host, "0.0.0.0");
  });
});
