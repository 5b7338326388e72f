/** The tools, in the order in which an agent needs them. */
import { addTasks } from "./tools/add-tasks.ts";
import { finishTask } from "./tools/finish-task.ts";
import { nextTask } from "./tools/next-task.ts";
import { reportProgress } from "./tools/report-progress.ts";
import { showTasks } from "./tools/show-tasks.ts";
import { waitFor } from "./tools/wait-for.ts";
import type { Tool } from "./tool.ts";

export const TOOLS: readonly Tool[] = [
  nextTask,
  reportProgress,
  finishTask,
  addTasks,
  showTasks,
  waitFor,
];
