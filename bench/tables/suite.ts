/** A part of the benchmark: some tables that are measured with the same processes. */
import type { Effort } from "../compare.ts";
import type { Table } from "../table.ts";

export interface SuiteContext {
  /** Of nats-server. */
  readonly binary: string;
  /** For the data of the servers. */
  readonly folder: string;
  readonly effort: Effort;
  /** Only what shows that everything works, in a few minutes. */
  readonly isShort: boolean;
  readonly tell: (line: string) => void;
}

export interface Suite {
  readonly name: string;
  readonly what: string;
  readonly run: (context: SuiteContext) => AsyncIterable<Table>;
}
