/** Who may import whom: compares the imports of files with a table of permissions. */
import { type Import, importsOf, type SourceFile, targetOf } from "./source-files.ts";

/**
 * What each part of src/ may import, apart from its own files: other parts, single modules, and packages.
 * `type ` permits only types, and `*` permits everything with the same beginning.
 */
export type ImportTable = Readonly<Record<string, readonly string[]>>;

/** The imports of a file for which its part has no permission. */
export function importOffences(table: ImportTable, { path, source }: SourceFile): string[] {
  const part = partOf(path);
  const rules = table[part];
  if (rules === undefined) return [`${path}: ${part} is not a part that the import table knows`];
  return foreignImports(path, source)
    .filter(({ target, typeOnly }) => !rules.some((rule) => allows(rule, target, typeOnly)))
    .map(({ target }) => `${path}: ${part} must not import ${target}`);
}

/** The permissions that no file needs. */
export function unusedPermissions(table: ImportTable, files: readonly SourceFile[]): string[] {
  const imports = files.flatMap(({ path, source }) =>
    foreignImports(path, source).map((found) => ({ part: partOf(path), ...found })),
  );
  return Object.entries(table).flatMap(([part, rules]) => {
    const ofPart = imports.filter((found) => found.part === part);
    return rules
      .filter((rule) => !ofPart.some(({ target, typeOnly }) => allows(rule, target, typeOnly)))
      .map((rule) => `${part} need not import ${rule}`);
  });
}

/** The parts that may, directly or through others, import themselves. */
export function circularParts(table: ImportTable): string[] {
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (table[from] ?? []).some((rule) => {
      // Types may go against the direction, because they vanish when the code is compiled.
      if (rule.startsWith("type ")) return false;
      const part = partOf(`src/${rule}`);
      if (part === to) return true;
      return !seen.has(part) && reaches(part, to, seen.add(part));
    });
  return Object.keys(table).filter((part) => reaches(part, part));
}

/** A permission as the documentation spells it. */
export function spelled(rule: string): string {
  if (rule.startsWith("type ")) return `types of ${rule.slice("type ".length)}`;
  return rule.replace(/[/:]\*$/, "");
}

/** `src/task/task.ts` belongs to `task`, `src/app.ts` to `app`. */
export function partOf(path: string): string {
  const [, part = ""] = path.split("/");
  return part.replace(/\.tsx?$/, "");
}

interface ForeignImport extends Pick<Import, "typeOnly"> {
  /** A package's name, or a module as a path below src/ without its extension. */
  readonly target: string;
}

/** The imports that lead out of the part of the file. */
function foreignImports(path: string, source: string): ForeignImport[] {
  return importsOf({ path, source })
    .map(({ specifier, typeOnly }) => ({ target: moduleOf(path, specifier), typeOnly }))
    .filter(({ target }) => partOf(`src/${target}`) !== partOf(path));
}

function moduleOf(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  const file = targetOf(path, specifier).replace(/\.tsx?$/, "");
  return file.startsWith("src/") ? file.slice("src/".length) : `/${file}`;
}

function allows(rule: string, target: string, typeOnly: boolean): boolean {
  if (rule.startsWith("type ")) return typeOnly && target === rule.slice("type ".length);
  // Named imports of it would evade the check of reserved expressions.
  if (target === "node:process") return false;
  if (rule.endsWith("*")) return target.startsWith(rule.slice(0, -1));
  return target === rule || target.startsWith(`${rule}/`);
}
