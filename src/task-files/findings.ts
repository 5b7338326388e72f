/** What is wrong with files of tasks, and what the user should know about them. */
import type { SourceText } from "./source-text.ts";

export interface Finding {
  /** `board.md:12:5`, or the name of the file alone. */
  readonly place: string;
  /** What is wrong, and the cure. */
  readonly message: string;
  /** Where it is, for the order of a report. */
  readonly file: string;
  readonly offset: number;
}

/** So many findings of a kind are kept; of the others only their number. */
const MAX_KEPT = 1_000;

/** Findings of one kind. */
export class FindingList {
  readonly kept: Finding[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(finding: Finding): void {
    this.#count++;
    if (this.kept.length < MAX_KEPT) this.kept.push(finding);
  }

  /** @param files in the order in which they were named */
  sort(files: readonly string[]): void {
    this.kept.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.offset - b.offset);
  }
}

export class Findings {
  /** Nothing is imported if there is one. */
  readonly errors = new FindingList();
  /** What is imported in another way than the file says, and what is left out. */
  readonly warnings = new FindingList();
  /** Entries of the files that are no tasks to import, such as deleted issues. A warning names them. */
  skipped = 0;

  error(source: SourceText, offset: number, message: string): void {
    this.errors.add(at(source, offset, message));
  }

  errorInFile(name: string, message: string): void {
    this.errors.add({ place: name, message, file: name, offset: -1 });
  }

  warning(source: SourceText, offset: number, message: string): void {
    this.warnings.add(at(source, offset, message));
  }

  warningInFile(name: string, message: string): void {
    this.warnings.add({ place: name, message, file: name, offset: -1 });
  }
}

function at(source: SourceText, offset: number, message: string): Finding {
  return { place: source.placeOf(offset), message, file: source.name, offset };
}

/** A value from a file as a message shows it: on one line, shortened, without control characters. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const short = (text.length > 60 ? `${text.slice(0, 60)}...` : text).toWellFormed();
  return typeof value === "string" ? JSON.stringify(short) : short;
}
