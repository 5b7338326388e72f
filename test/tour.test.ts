/** docs/tour.md shows what its commands really print. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { read } from "./support/markdown.ts";
import { tmuxMissing } from "./support/terminal.ts";
import { BUSY, playTour, stepsOf } from "./tour/player.ts";

describe("the commands of docs/tour.md", { skip: tmuxMissing() }, () => {
  it("start a coordinator, import a board, finish it with three workers, and prove it", async () => {
    const steps = stepsOf(read("docs/tour.md"));
    const played = await playTour(steps, BUSY);
    assert.equal(played.length, steps.length);
    for (const { command, shown, output, code } of played) {
      const where = `docs/tour.md:${command.line}: ${command.text}\n${output}`;
      assert.equal(code, 0, where);
      if (shown === undefined || isOfWorker(command.text) || BUSY.test(`${output}\n`)) continue;
      assert.deepEqual(shapes(output), shapes(shown.text), `${where}\nis shown as\n${shown.text}`);
    }
    // Who does which task is not the same each time, but together they do each task once.
    const done = played.filter(({ command }) => isOfWorker(command.text));
    assert.equal(done.length, 3);
    const titles = (outputs: readonly string[]): string[] =>
      outputs.flatMap((output) => output.match(/^did .*/gm) ?? []).sort();
    const real = titles(done.map(({ output }) => output));
    assert.deepEqual(real, titles(done.map(({ shown }) => shown?.text ?? "")));
    assert.equal(new Set(real).size, 9);
  });
});

function isOfWorker(command: string): boolean {
  return command.startsWith("if-coordinator run");
}

/** The different kinds of lines: without numbers, names of sessions and bars, which vary from run to run. */
function shapes(output: string): string[] {
  const kinds = output
    .split("\n")
    .map((line) =>
      line
        .replace(/\b(anna|ben|chris)\b/g, "somebody")
        .replace(/[▁▂▃▄▅▆▇█·]+/g, "")
        .replace(/\d+/g, "0")
        .replace(/(0[.:]?)+(ms|[smhd])?/g, "0")
        .replace(/worker-[0-9a-f]+/g, "worker")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .filter((line) => line !== "");
  return [...new Set(kinds)].sort();
}
