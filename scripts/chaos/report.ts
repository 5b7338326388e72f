/** What a run prints at its end, and what a failed run leaves behind. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "./run.ts";
import { timelinePicture, timelineText } from "./timeline.ts";

/** More problems than these say nothing new. */
const MAX_PROBLEMS = 20;
/** So many timelines are printed as well: the folder of a run on another machine may be gone. */
const MAX_TIMELINES = 2;

/** The problems that fail a run. A task that could not be decided is reported, but is not a failure. */
export function failures({ problems }: Result): Result["problems"] {
  return problems.filter(({ guarantee }) => guarantee !== "undecided");
}

export function formatResult(result: Result): string {
  const { problems, recording, faults } = result;
  const unknown = recording.operations.filter(({ returnedAt }) => returnedAt === Infinity).length;
  const tasks = tasksOf(failures(result)).slice(0, MAX_TIMELINES);
  const lines = tasks.map((taskId) => `${taskId}:\n${timelineText(result, taskId)}`);
  const shown = problems
    .slice(0, MAX_PROBLEMS)
    .map(
      ({ guarantee, taskId, what }) =>
        `✘ ${guarantee}: ${taskId === null ? "" : `${taskId} `}${what}`,
    );
  lines.push(...shown);
  if (problems.length > MAX_PROBLEMS) lines.push(`and ${problems.length - MAX_PROBLEMS} more`);
  const failed = failures(result).length;
  const verdict = failed === 0 ? "every guarantee held" : `${failed} problems`;
  lines.push(
    `${recording.operations.length} operations (${unknown} without an answer), ` +
      `${recording.updates.length} transitions, ${faults.length} faults: ${verdict}`,
  );
  return lines.join("\n");
}

/** Writes the recording, and the timeline of each task with a problem, as text and as a picture. */
export function leaveEvidence(folder: string, result: Result): void {
  const { recording, problems } = result;
  const write = (name: string, content: string): void => {
    writeFileSync(join(folder, name), content);
  };
  write("operations.json", JSON.stringify(recording.operations, null, 1));
  write("nexts.json", JSON.stringify(recording.nexts, null, 1));
  write("registrations.json", JSON.stringify(recording.registrations, null, 1));
  write("updates.json", JSON.stringify(recording.updates, null, 1));
  for (const taskId of tasksOf(problems)) {
    write(`${taskId}.txt`, timelineText(result, taskId));
    write(`${taskId}.svg`, timelinePicture(result, taskId));
  }
}

function tasksOf(problems: Result["problems"]): string[] {
  return [...new Set(problems.map(({ taskId }) => taskId))].filter((taskId) => taskId !== null);
}
