/** All suites of the benchmark, in their order. */
import { claims, cluster, workers } from "./claims.ts";
import { commands } from "./commands.ts";
import { events } from "./events.ts";
import { fanOut } from "./fan-out.ts";
import { growth } from "./growth.ts";
import { overload } from "./overload.ts";
import { removals } from "./removals.ts";
import { sessions } from "./sessions.ts";
import type { Suite } from "./suite.ts";
import { tasks } from "./tasks.ts";

export const SUITES: readonly Suite[] = [
  ...[claims, tasks, cluster, workers],
  ...[fanOut, events, sessions, growth, removals, overload, commands],
];
