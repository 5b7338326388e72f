/** The forms of a list: each takes the tasks page by page, and writes them as they come. */
import type { TaskRecord } from "../../protocol/task-record.ts";
import { type OutputOptions, write } from "../shared/data.ts";
import { GrowingTable } from "./growing-table.ts";
import { COLUMNS, toRow } from "./task-rows.ts";
import { jsonText } from "../shared/json-text.ts";

export interface ListOutput {
  /** Never called without tasks. */
  page(tasks: readonly TaskRecord[]): Promise<void>;
  end(): Promise<void>;
}

export interface TableOptions {
  readonly headers: boolean;
  /** Columns of the terminal; `Infinity` if it is none. */
  readonly width: number;
}

export function listOutput(options: OutputOptions, table: TableOptions): ListOutput {
  if (options.jsonl === true) return new JsonLines();
  return options.json === true ? new JsonDocument() : new Rows(table);
}

class Rows implements ListOutput {
  readonly #table: GrowingTable;
  #mustWriteHeader: boolean;

  constructor({ headers, width }: TableOptions) {
    this.#table = new GrowingTable(COLUMNS, width);
    this.#mustWriteHeader = headers;
  }

  async page(tasks: readonly TaskRecord[]): Promise<void> {
    const now = Date.now();
    const rows = tasks.map((task) => toRow(task, now));
    const header = this.#mustWriteHeader ? `${this.#table.header(rows)}\n` : "";
    this.#mustWriteHeader = false;
    await write(header + this.#table.page(rows));
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

class JsonLines implements ListOutput {
  async page(tasks: readonly TaskRecord[]): Promise<void> {
    await write(tasks.map((task) => `${jsonText(task)}\n`).join(""));
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

/** One document, of which no more than a page is in memory. */
class JsonDocument implements ListOutput {
  #isEmpty = true;

  async page(tasks: readonly TaskRecord[]): Promise<void> {
    const start = this.#isEmpty ? '{\n  "ok": true,\n  "tasks": [\n' : ",\n";
    this.#isEmpty = false;
    const entries = tasks.map((task) => indented(jsonText(task, 2)));
    await write(start + entries.join(",\n"));
  }

  async end(): Promise<void> {
    await write(this.#isEmpty ? '{\n  "ok": true,\n  "tasks": []\n}\n' : "\n  ]\n}\n");
  }
}

function indented(json: string): string {
  return json.replace(/^/gm, "    ");
}
