/**
 * What readers make of a file: rows with named values, and then drafts, which are tasks whose dependencies
 * are not yet resolved. `finish.ts` turns the drafts of all files into tasks.
 */
import type { SourceText } from "./source-text.ts";

/** A value of a file, as the file has it. */
export interface Located {
  readonly value: unknown;
  readonly offset: number;
}

/** One task of a file, as its format spells it. */
export interface Row {
  readonly source: SourceText;
  readonly offset: number;
  /** By the names of the file. */
  readonly fields: ReadonlyMap<string, Located>;
  /** Whether all values are texts of a table, in which lists and numbers have to be recognized. */
  readonly isTextual: boolean;
  /** The ids of the rows above in the same table, for cells such as `all above`. */
  readonly idsAbove: () => readonly string[];
}

/** A dependency as the file names it. */
export interface GivenDependency {
  readonly text: string;
  readonly offset: number;
  /** Whether the text is exactly one id. Otherwise it can be a range such as `P0.1.2-5`. */
  readonly isExact: boolean;
}

export interface Draft {
  readonly source: SourceText;
  readonly id: string;
  readonly offset: number;
  /** Fields of the import, except for its id and its dependencies. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where each field stands. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly dependencies: readonly GivenDependency[];
  /** The id of the task around it. That task is complete when its parts are. */
  readonly parent: string | null;
}
