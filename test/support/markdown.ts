/** Reads sections, tables, code blocks and links of the documentation. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The paths of all documents, relative to the folder of the project. */
export function documents(): string[] {
  const inFolder = (folder: string): string[] =>
    // With the slash, the folder can also be a symbolic link.
    readdirSync(`${join(ROOT, folder)}/`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`);
  const top = ["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md", "SECURITY.md"];
  return [...top, ...inFolder("docs").sort()];
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8").replaceAll("\r\n", "\n");
}

/** The part of a document from a heading, given without `#`, to the next heading of the same level. */
export function section(markdown: string, heading: string): string {
  const lines = markdown.split("\n");
  const start = headingLines(lines).find(({ text }) => text === heading);
  if (start === undefined) throw new Error(`there is no heading "${heading}"`);
  const end = headingLines(lines).find(
    ({ line, level }) => line > start.line && level <= start.level,
  );
  return lines.slice(start.line + 1, end?.line).join("\n");
}

/** The headings in order, without lines of code that look like headings. */
export function headings(markdown: string): string[] {
  return headingLines(markdown.split("\n")).map(({ text }) => text);
}

function headingLines(lines: readonly string[]): { line: number; level: number; text: string }[] {
  let inCode = false;
  return lines.flatMap((content, line) => {
    if (content.startsWith("```")) inCode = !inCode;
    const [, marks = "", text = ""] = /^(#+) (.+)$/.exec(content) ?? [];
    return inCode || marks === "" ? [] : [{ line, level: marks.length, text: plain(text) }];
  });
}

export type Row = Readonly<Record<string, string>>;

/** The tables of a text: a record by column title for each row, without code marks. */
export function tables(markdown: string): Row[][] {
  const lines = markdown.split("\n");
  const found: Row[][] = [];
  for (let i = 0; i < lines.length; i++) {
    if (!isRow(lines[i]) || !/^\|[ :|-]+\|$/.test(lines[i + 1] ?? "")) continue;
    const titles = cells(lines[i] ?? "");
    const rows: Row[] = [];
    for (i += 2; isRow(lines[i]); i++) {
      const values = cells(lines[i] ?? "");
      rows.push(Object.fromEntries(titles.map((title, column) => [title, values[column] ?? ""])));
    }
    found.push(rows);
  }
  return found;
}

/** The table of a text whose first column has this title. */
export function table(markdown: string, firstColumn: string): Row[] {
  const found = tables(markdown).find(([row]) => Object.keys(row ?? {})[0] === firstColumn);
  if (found === undefined)
    throw new Error(`there is no table whose first column is ${firstColumn}`);
  return found;
}

function isRow(line: string | undefined): boolean {
  return line?.startsWith("|") === true && line.endsWith("|");
}

function cells(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => plain(cell.trim().replaceAll("\\|", "|")));
}

/** The text without the marks of code and links. */
function plain(text: string): string {
  return text.replaceAll("`", "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
}

export interface CodeBlock {
  /** The first line is 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The text of an HTML comment above the block. */
  readonly comment: string | undefined;
  readonly heading: string;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const lines = markdown.split("\n");
  const titles = headingLines(lines);
  const blocks: CodeBlock[] = [];
  for (let i = 0; i < lines.length; i++) {
    const language = /^```(\w*)/.exec(lines[i] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", i + 1);
    // Prettier puts an empty line between a comment and what follows it.
    const above = lines.slice(0, i).findLast((line) => line !== "") ?? "";
    blocks.push({
      line: i + 1,
      language,
      text: lines.slice(i + 1, end).join("\n"),
      comment: /^<!-- (.*) -->$/.exec(above)?.[1],
      heading: titles.findLast(({ line }) => line < i)?.text ?? "",
    });
    i = end;
  }
  return blocks;
}

/** The targets of the links, without links to other sites. */
export function localLinks(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The files of this project that a text names in backticks. */
export function namedFiles(markdown: string): string[] {
  const named = /`((?:src|test|scripts|docs|config|examples|\.ci)\/[\w./-]+)`/g;
  return [...withoutCode(markdown).matchAll(named)].map(([, path = ""]) => path);
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, "");
}

/** The anchor that GitHub gives to a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
