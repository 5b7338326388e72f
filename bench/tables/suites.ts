/** All suites of the benchmark, in their order. */
import { claims, cluster, workers } from "./claims.ts";
import { events } from "./events.ts";
import { fanOut } from "./fan-out.ts";
import { growth } from "./growth.ts";
import { overload } from "./overload.ts";
import { removals } from "./removals.ts";
import { sessions } from "./sessions.ts";
import type { Effort } from "../compare.ts";
import type { Table } from "../table.ts";
import { tasks } from "./tasks.ts";

/** Some tables that are measured with the same processes. */
export interface Suite {
  readonly name: string;
  readonly what: string;
  readonly run: (context: SuiteContext) => AsyncIterable<Table>;
}

export interface SuiteContext {
  /** That of nats-server. */
  readonly binary: string;
  /** For the data of the servers. */
  readonly folder: string;
  readonly effort: Effort;
  /** Whether to run only what shows that everything works, in a few minutes. */
  readonly isShort: boolean;
  readonly tell: (line: string) => void;
}

export const SUITES: readonly Suite[] = [
  ...[claims, tasks, cluster, workers],
  ...[fanOut, events, sessions, growth, removals, overload],
];
