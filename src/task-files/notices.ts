/** Warnings that many rows have in common. They are said once for each file, with the first place. */
import type { Row } from "./draft.ts";
import type { Findings } from "./findings.ts";
import type { SourceText } from "./source-text.ts";
import type { WordedStatus } from "./words.ts";

/** What is said about fields. */
export type FieldNotice = "history" | "kept as metadata";

const FIELD_TEXTS: Readonly<Record<FieldNotice, string>> = {
  history: "not imported, because they say what happened to a task",
  "kept as metadata": "kept in the metadata of the tasks",
};

type UnsupportedStatus = Exclude<WordedStatus, "complete" | "cancelled" | "open">;

const STATUS_TEXTS: Readonly<Record<UnsupportedStatus, string>> = {
  "in progress": "in progress: imported as open, because no session of this coordinator holds them",
  failed: "failed: imported as open, so they are tried again",
  deferred:
    "deferred: imported as open; give them not_before, or cancel them, to keep sessions away",
};

/** So many tasks are named. */
const MAX_NAMED = 5;

interface Group {
  readonly source: SourceText;
  readonly offset: number;
  readonly names: Map<string, string>;
  count: number;
}

export class Notices {
  readonly #groups = new Map<string, Group>();

  add(notice: FieldNotice, { source, offset }: Pick<Row, "source" | "offset">, name: string): void {
    this.#group(`fields ${notice}`, source, offset).names.set(name, name);
  }

  addStatus(
    status: UnsupportedStatus,
    { source, offset }: Pick<Row, "source" | "offset">,
    id: string,
    session: string | null,
  ): void {
    const group = this.#group(`tasks ${status}`, source, offset);
    group.count++;
    if (group.names.size < MAX_NAMED) {
      group.names.set(id, session === null ? id : `${id} (claimed by ${session})`);
    }
  }

  /** Any other thing that is true of many tasks; `text` follows the ids. */
  addTask(text: string, source: SourceText, offset: number, id: string): void {
    const group = this.#group(`other ${text}`, source, offset);
    group.count++;
    if (group.names.size < MAX_NAMED) group.names.set(id, id);
  }

  report(findings: Findings): void {
    for (const [key, { source, offset, names, count }] of this.#groups) {
      const [kind, about] = splitOnce(key);
      const list = [...names.values()].join(", ");
      const more = count > names.size ? ` and ${count - names.size} more` : "";
      const message =
        kind === "fields"
          ? `fields ${FIELD_TEXTS[about as FieldNotice]}: ${list}`
          : `${kind === "tasks" ? STATUS_TEXTS[about as UnsupportedStatus] : about}: ${list}${more}`;
      findings.warning(source, offset, message);
    }
  }

  #group(kind: string, source: SourceText, offset: number): Group {
    const key = `${kind}\n${source.name}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { source, offset, names: new Map(), count: 0 };
      this.#groups.set(key, group);
    }
    return group;
  }
}

/** The kind and what it is about, from `tasks failed\nboard.md`. */
function splitOnce(key: string): [kind: string, about: string] {
  const [first = ""] = key.split("\n");
  const space = first.indexOf(" ");
  return [first.slice(0, space), first.slice(space + 1)];
}
