/** The processes that `dev` starts: what they are told, and how they end. */
import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Dev } from "../support/dev.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const SECRETS = {
  AWS_SECRET_ACCESS_KEY: "s3cret",
  NODE_AUTH_TOKEN: "s3cret",
  IF_COORDINATOR_NATS_PASSWORD: "s3cret",
  IF_COORDINATOR_NATS_USERNAME: "somebody",
};
const noProc = process.platform !== "linux" && "needs /proc";

async function environmentOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

describe("the processes of dev", { skip: noProc }, () => {
  it("get no secrets of its environment", async () => {
    await using folder = await TempFolder.create();
    await using dev = await Dev.start(folder.path, ["--workers", "2"], { env: SECRETS });
    assert.ok((await environmentOf(dev.pid)).includes("NODE_AUTH_TOKEN=s3cret"));
    const children = await childrenOf(dev.pid);
    assert.equal(children.length, 3);
    assert.ok(children.includes(dev.serverPid()));
    for (const pid of children) {
      const environment = await environmentOf(pid);
      assert.deepEqual(
        environment.filter((line) => line.includes("s3cret") || line.startsWith("IF_")),
        [],
      );
      assert.ok(environment.includes(`PATH=${process.env.PATH ?? ""}`));
    }
  });

  it("are named if they are found on PATH", async () => {
    await using folder = await TempFolder.create();
    const binary = join(folder.path, "nats-server");
    await writeFile(binary, `#!/bin/sh\nexec ${await serverBinary()} "$@"\n`);
    await chmod(binary, 0o755);
    const PATH = [folder.path, process.env.PATH].join(delimiter);
    await using dev = await Dev.start(join(folder.path, "store"), [], {
      env: { PATH, IF_COORDINATOR_NATS_SERVER: "" },
    });
    const [, path = ""] = await dev.waitFor(/using nats-server 2\.[\d.]+ on PATH: (.*)\n/);
    assert.equal(path, binary);
  });

  it("do not keep it from ending on the first SIGTERM while they start", async () => {
    await using folder = await TempFolder.create();
    // It says a version, and never listens.
    const binary = join(folder.path, "nats-server");
    const version = '[ "$1" = --version ] && echo "nats-server: v2.15.1" && exit';
    await writeFile(binary, `#!/bin/sh\n${version}\nexec sleep 600\n`);
    await chmod(binary, 0o755);
    await using dev = await Dev.launch(join(folder.path, "store"), [], {
      env: { IF_COORDINATOR_NATS_SERVER: binary },
    });
    const server = await firstChild(dev.pid);
    const begun = performance.now();
    dev.kill("SIGTERM");
    const { code } = await dev.exited;
    assert.ok(performance.now() - begun < 5_000);
    assert.equal(code, 0);
    // An empty text is that of a process that has ended, and that nobody has asked about.
    while ((await commandOf(server)) !== "") await nextTurn();
  });
});

/** The process id of `sleep`, which replaces the shell of the script. */
async function firstChild(pid: number): Promise<number> {
  for (;;) {
    for (const child of await childrenOf(pid)) {
      if ((await commandOf(child)).startsWith("sleep")) return child;
    }
    await nextTurn();
  }
}

function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
}
