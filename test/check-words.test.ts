/** The check of words, run as `npm run check` runs it. This file may name the words. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ROOT } from "./support/markdown.ts";
import { TempFolder } from "./support/temp-folder.ts";

describe("the check of words", () => {
  it("names the file, the line, the word and the better word", async () => {
    const { code, lines, path } = await check("notes.md", "A title\n\nWhoever asks is answered.\n");
    assert.equal(code, 1);
    assert.deepEqual(lines, [`${path}:3: "Whoever": write "anyone who", "the session that"`]);
  });

  for (const [where, source] of [
    ["a comment over a function", "/** Reads the file anew. */\nexport function read() {}\n"],
    ["a comment behind a statement", "const a = 1; // Read anew.\n"],
    ["a comment at the end", "const a = 1;\n// Read anew.\n"],
    ["a text", 'const text = "it is read anew";\n'],
    ["a template", "const text = `${1} is read anew ${2}`;\n"],
  ] as const) {
    it(`refuses a word in ${where} of the code`, async () => {
      const { code, lines } = await check("code.ts", source);
      assert.equal(code, 1);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? "", /"anew": write "again"$/);
    });
  }

  it("refuses every word of a line", async () => {
    const { lines } = await check("settings.yaml", "a: 1\n# Whatever is read anew\nb: 2\n");
    assert.deepEqual(
      lines.map((line) => /:\d+: "\w+"/.exec(line)?.[0]),
      [':2: "Whatever"', ':2: "anew"'],
    );
  });

  it("accepts the words as names in code", async () => {
    const source =
      "function anew(whatever: boolean) {\n  if (whatever) return 1;\n  else return 2;\n}\n";
    assert.deepEqual(await outcomeOf("code.ts", source), { code: 0, lines: [] });
  });

  it("accepts good English that looks alike", async () => {
    const text =
      "It takes no more than 5 s. There are no more tasks. Nothing else happens. " +
      "The renewal is late.\n";
    assert.deepEqual(await outcomeOf("notes.md", text), { code: 0, lines: [] });
  });
});

async function outcomeOf(name: string, content: string) {
  const { code, lines } = await check(name, content);
  return { code, lines };
}

/** Writes the file and runs the check over it alone. */
async function check(
  name: string,
  content: string,
): Promise<{ code: number; lines: string[]; path: string }> {
  await using folder = await TempFolder.create();
  const path = join(folder.path, name);
  await writeFile(path, content);
  const program = join(ROOT, "scripts", "check-words.js");
  return await new Promise((resolve) => {
    execFile(process.execPath, [program, path], (error, _, stderr) => {
      const lines = stderr.split("\n").filter((line) => line !== "");
      resolve({ code: Number(error?.code ?? 0), lines, path });
    });
  });
}
