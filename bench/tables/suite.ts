/** What one suite of the benchmark is, and what it gets to run with. */
import type { Effort } from "../compare.ts";
import type { Table } from "../table.ts";

/** Tables that are measured with the same processes. */
export interface Suite {
  readonly name: string;
  readonly what: string;
  readonly run: (context: SuiteContext) => AsyncIterable<Table>;
}

export interface SuiteContext {
  /** The path of nats-server. */
  readonly binary: string;
  /** For the data of the servers. */
  readonly folder: string;
  readonly effort: Effort;
  /** Whether to run only what shows that everything works, in a few minutes. */
  readonly isShort: boolean;
  readonly tell: (line: string) => void;
}
