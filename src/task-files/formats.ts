/** The formats of task files, and how a file's format is recognized. */

/** What `import` reads. */
export const READ_FORMATS = [
  "json",
  "jsonl",
  "yaml",
  "csv",
  "markdown",
  "beads",
  "task-master",
] as const;
export type ReadFormat = (typeof READ_FORMATS)[number];

/** What `export` writes. */
export const WRITE_FORMATS = ["json", "jsonl", "yaml", "csv", "markdown"] as const;
export type WriteFormat = (typeof WRITE_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, ReadFormat>> = {
  json: "json",
  jsonl: "jsonl",
  ndjson: "jsonl",
  yaml: "yaml",
  yml: "yaml",
  csv: "csv",
  tsv: "csv",
  md: "markdown",
  markdown: "markdown",
  mdx: "markdown",
};

/** The format that the name of a file says; `null` for other names and for standard input. */
export function formatOfName(name: string): ReadFormat | null {
  const extension = /\.([A-Za-z]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(BY_EXTENSION, extension) ? (BY_EXTENSION[extension] ?? null) : null;
}

/** So much of a text is looked at. */
const LOOK_AT = 64 * 1024;

/** The format that a text looks like; `null` if it looks like none. */
export function formatOfText(whole: string): ReadFormat | null {
  const text = whole.slice(0, LOOK_AT).trimStart();
  if (/^[[{]/.test(text)) return isJsonLines(text) ? "jsonl" : "json";
  const hasTable =
    /^ {0,3}\|?.*\|.*\r?\n {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$/m;
  if (hasTable.test(text) || /^[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[[ xX/~-]\][ \t]/m.test(text))
    return "markdown";
  if (/^(?:---\r?\n|- |tasks:)/.test(text)) return "yaml";
  const [header = ""] = /^.*/.exec(text) ?? [];
  const names = header.split(/[,;\t]/).map((name) => name.replaceAll('"', "").trim().toLowerCase());
  return names.includes("id") || names.includes("task_id") ? "csv" : null;
}

function isJsonLines(text: string): boolean {
  const [first = "", second = ""] = text.split("\n", 2).map((line) => line.trim());
  return /^\{.*\}$/.test(first) && second.startsWith("{");
}
