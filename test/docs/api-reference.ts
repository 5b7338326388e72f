/** The API reference as TypeDoc makes it of the docstrings, and what it knows of the public names. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ReflectionKind } from "typedoc";
import { ROOT } from "../support/markdown.ts";
import { TempFolder } from "../support/temp-folder.ts";
import type { Example } from "./example-compiler.ts";

export interface ApiReference {
  /** Pages by their paths below docs/api. */
  readonly pages: ReadonlyMap<string, string>;
  readonly project: Project;
}

/** What TypeDoc writes as JSON, as far as it is read here. */
export interface Project {
  readonly children: readonly Reflection[];
  /** Where everything is declared, by its id. */
  readonly symbolIdMap: Readonly<Record<number, { readonly packagePath: string }>>;
}

interface Signature {
  readonly comment?: Comment;
}

export interface Reflection extends Signature {
  readonly id: number;
  readonly name: string;
  readonly kind: ReflectionKind;
  readonly flags?: { readonly isExternal?: boolean };
  readonly children?: readonly Reflection[];
  readonly signatures?: readonly Signature[];
  readonly getSignature?: Signature;
  readonly type?: Type;
}

/** Of an alias, an object or an intersection with one. */
interface Type {
  readonly declaration?: Reflection;
  readonly types?: readonly Type[];
}

interface Comment {
  readonly summary: readonly Text[];
  readonly blockTags?: readonly { readonly tag: string; readonly content: readonly Text[] }[];
}

interface Text {
  readonly text: string;
}

/** A public name, or a member of one. */
export interface ApiEntry {
  readonly name: string;
  readonly file: string;
  readonly isDescribed: boolean;
  /** Classes, their methods, functions. */
  readonly needsExample: boolean;
  readonly examples: readonly string[];
}

/** Runs what `npm run docs` runs, which fails if TypeDoc has a warning. */
export async function makeApiReference(): Promise<ApiReference> {
  await using folder = await TempFolder.create();
  const [pages, json] = [join(folder.path, "api"), join(folder.path, "api.json")];
  const manifest = createRequire(import.meta.url).resolve("typedoc/package.json");
  const typedoc = join(dirname(manifest), "bin", "typedoc");
  await promisify(execFile)(process.execPath, [typedoc, "--out", pages, "--json", json], {
    cwd: ROOT,
  });
  return {
    pages: await readPages(pages),
    project: JSON.parse(await readFile(json, "utf8")) as Project,
  };
}

export async function readPages(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const pages = new Map<string, string>();
  for (const name of names.filter((entry) => entry.isFile())) {
    const path = join(name.parentPath, name.name);
    const text = (await readFile(path, "utf8")).replaceAll("\r\n", "\n");
    pages.set(path.slice(folder.length + 1).replaceAll("\\", "/"), text);
  }
  return pages;
}

export function entriesOf(project: Project): ApiEntry[] {
  const visit = (
    reflection: Reflection,
    parent?: { name: string; kind: ReflectionKind },
  ): ApiEntry[] => {
    // What comes with `Error` is not ours to describe.
    if (reflection.flags?.isExternal === true) return [];
    const { kind } = reflection;
    const name = parent === undefined ? reflection.name : `${parent.name}.${reflection.name}`;
    const comments = commentsOf(reflection);
    const entry = {
      name,
      file: project.symbolIdMap[reflection.id]?.packagePath ?? "",
      isDescribed: comments.some(({ summary }) => summary.some(({ text }) => text.trim() !== "")),
      // The methods of an interface are for others to write.
      needsExample: EXPLAINED.has(kind) && parent?.kind !== ReflectionKind.Interface,
      examples: comments.flatMap(examplesIn),
    };
    return [entry, ...membersOf(reflection).flatMap((member) => visit(member, { name, kind }))];
  };
  return project.children.flatMap((reflection) => visit(reflection));
}

const EXPLAINED: ReadonlySet<ReflectionKind> = new Set([
  ReflectionKind.Class,
  ReflectionKind.Function,
  ReflectionKind.Method,
]);

export function examplesOf(entries: readonly ApiEntry[]): Example[] {
  return entries.flatMap(({ name, file, examples }) =>
    examples.map((text) => ({ name: `${file}: ${name}`, text })),
  );
}

function membersOf({ children = [], kind, type }: Reflection): readonly Reflection[] {
  // Of a constant, its description says enough.
  if (kind === ReflectionKind.Variable || type === undefined) return children;
  const types = type.types ?? [type];
  return [...children, ...types.flatMap(({ declaration }) => declaration?.children ?? [])];
}

function commentsOf({ comment, signatures = [], getSignature }: Reflection): Comment[] {
  const own: readonly (Comment | undefined)[] = [comment, getSignature?.comment];
  return [...own, ...signatures.map((signature) => signature.comment)].filter(
    (found) => found !== undefined,
  );
}

/** TypeDoc has put what is not fenced into a fence. */
function examplesIn({ blockTags = [] }: Comment): string[] {
  return blockTags
    .filter(({ tag }) => tag === "@example")
    .map(({ content }) => content.map(({ text }) => text).join(""))
    .map((text) => /^```ts\n(.*)\n```$/s.exec(text.trim())?.[1] ?? text);
}
