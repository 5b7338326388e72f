/** A script of `run-script.test.ts`, which does what its word says. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runScript } from "../../scripts/lab/run-script.ts";
import { parse } from "../../scripts/options/command-line.ts";
import { flag, seed } from "../../scripts/options/kinds.ts";

const SCRIPT = {
  name: "npm run sample",
  does: "Does what its word says.",
  words: "word",
  options: { seed: seed("repeats a run"), list: flag("lists the words and does nothing else") },
};

await runScript({
  script: SCRIPT,
  parse: (args) => {
    const { values, words } = parse(SCRIPT, args);
    return values.list ? null : { seed: values.seed, word: words[0] ?? "" };
  },
  list: () => ["pass", "fail"],
  format: ({ seed, word }) => `--seed ${seed} ${word}`,
  run: async ({ word }, run) => {
    const { folder } = run;
    console.log(folder);
    if (word !== "unused") writeFileSync(join(folder, "log"), word);
    if (word === "throw" || word === "unused") throw new Error("cannot be carried out");
    if (word === "wait") {
      try {
        await run.untilInterrupted(delay(3_600_000));
      } finally {
        await delay(1);
        console.log("cleaned up");
      }
    }
    return word === "pass";
  },
});
