/** The help of the scripts, and their messages about a wrong option. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type CliExit, CliProcess } from "./support/cli-process.ts";

type Mistake = readonly [args: string, cure: RegExp];
const UNKNOWN: Mistake = ["--nonsense", /there is no option --nonsense/];
/** The folder of each script, and arguments that it refuses. */
const SCRIPTS: Readonly<Record<string, readonly Mistake[]>> = {
  "scripts/chaos": [["--nodes 2", /--nodes 2: takes 1 or 3/]],
  "scripts/soak": [["--duration 20", /--duration 20: takes a duration such as 90s/]],
  "scripts/fuzz": [["--workers 0", /--workers 0: takes a whole number from 1 on/]],
  "scripts/attack": [
    ["--seconds 0", /--seconds 0: takes a whole number from 1 on/],
    ["--only change", /there is no attack change: did you mean changes\?/],
  ],
  "scripts/recovery": [["--json --nodes 3", /--json: takes <file>/]],
  "scripts/power-loss": [["--victims unlucky", /--victims unlucky: .* add --nodes 3/]],
  bench: [
    ["--short --document", /leave out --document/],
    ["no-suite", /there is no suite no-suite: --list shows them/],
    ["cliams", /there is no suite cliams: did you mean claims\?/],
    ["--lisst", /there is no option --lisst: did you mean --list\?/],
  ],
};

async function run(folder: string, ...args: string[]): Promise<CliExit> {
  const main = fileURLToPath(new URL(`../${folder}/main.js`, import.meta.url));
  await using script = new CliProcess(args, { program: [process.execPath, main] });
  return await script.exited;
}

for (const [folder, mistakes] of Object.entries(SCRIPTS)) {
  const name = `npm run ${folder.replace("scripts/", "")}`;

  describe(`${name} -- --help`, () => {
    it("shows what the script does and every option with its default", async () => {
      const { code, stdout, stderr } = await run(folder, "--help");
      const [usage = "", does = "", ...options] = stdout.trimEnd().split("\n");
      assert.deepEqual([code, stderr], [0, ""]);
      assert.ok(usage.startsWith(`${name} -- [options]`), usage);
      assert.match(does, /^[A-Z].*\.$/);
      assert.match(options.pop() ?? "", /^ {2}--help {2,}\S/);
      assert.ok(options.length >= 5);
      for (const option of options)
        assert.match(option, /^ {2}--[a-z-]+( \S+)? {2,}\S.* \(default: .+\)$/);
    });
  });

  describe(`${name} with a mistake`, () => {
    for (const [args, cure] of [UNKNOWN, ...mistakes]) {
      it(`names it and the cure in one line: ${args}`, async () => {
        const { code, stdout, stderr } = await run(folder, ...args.split(" "));
        assert.deepEqual([code, stdout], [2, ""]);
        assert.match(stderr, cure);
        assert.match(stderr, /^.+ -- --help\)\n$/);
      });
    }
  });
}
