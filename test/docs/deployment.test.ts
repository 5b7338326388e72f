/** The files for Docker, as far as they can be checked without it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { loadConfig } from "../../src/config.ts";
import { runCli } from "../support/cli-process.ts";
import { read, ROOT } from "../support/markdown.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

interface ComposeService {
  readonly command: readonly string[];
  readonly build?: string;
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

function servicesOf(path: string): [string, ComposeService][] {
  const file = parse(read(path), { merge: true }) as { services: Record<string, ComposeService> };
  return Object.entries(file.services);
}

for (const path of ["docker-compose.yml", "docs/docker-compose.cluster.yml"]) {
  describe(path, () => {
    const servers = servicesOf(path).filter(([, { image }]) => image?.startsWith("nats:") === true);
    const workers = servicesOf(path).filter(([, { build }]) => build !== undefined);

    it("starts NATS servers with options that nats-server understands", async () => {
      assert.ok(servers.length > 0);
      await using folder = await TempFolder.create();
      // It checks its options only together with a file.
      const file = join(folder.path, "nats-server.conf");
      await writeFile(file, "debug: false");
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

  it("sets variables that are settings", () => {
    const variables = read("Dockerfile").matchAll(/(IF_COORDINATOR_\w+)=(\S+)/g);
    const env = Object.fromEntries(
      [...variables].map(([, name = "", value = ""]) => [name, value]),
    );
    assert.equal(loadConfig({ env }).metrics.host, "0.0.0.0");
  });
});
