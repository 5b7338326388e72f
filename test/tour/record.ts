/** Writes what the commands of docs/tour.md print now into docs/tour.md: `npm run tour`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { read, ROOT } from "../support/markdown.ts";
import { BUSY, playTour, stepsOf } from "./player.ts";

const PATH = "docs/tour.md";

const markdown = read(PATH);
const lines = markdown.split("\n");
// From the last block to the first, so that the numbers of the lines before it stay right.
const played = await playTour(stepsOf(markdown), BUSY);
for (const { shown, output } of played.sort((a, b) => b.command.line - a.command.line)) {
  if (shown === undefined) continue;
  const end = lines.indexOf("```", shown.line);
  lines.splice(shown.line, end - shown.line, ...output.split("\n"));
}
writeFileSync(join(ROOT, PATH), lines.join("\n"));
