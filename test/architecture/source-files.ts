/** The source files of the project, and what TypeScript's parser finds in them. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { ROOT } from "../support/markdown.ts";

export interface SourceFile {
  /** Below the project's folder, with slashes. */
  readonly path: string;
  readonly source: string;
}

/** The TypeScript files of some folders. */
export function filesIn(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) => {
    // The slash follows the folder even where it is a link.
    const names = readdirSync(`${join(ROOT, folder)}/`, { recursive: true, encoding: "utf8" });
    const files = names
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .filter((path) => /\.tsx?$/.test(path) && !path.includes("/node_modules/"))
      .sort()
      .map((path) => ({ path, source: readFileSync(join(ROOT, path), "utf8") }));
    if (files.length === 0) throw new Error(`no source below ${join(ROOT, folder)}`);
    return files;
  });
}

/** @param path in a `.tsx` file, `<` begins an element; in a `.ts` file, a type */
export function nodesOf({ path, source }: SourceFile): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true));
  return nodes;
}

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Every import of a file: of values or types, static or dynamic, and every `export ... from`. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(file)) {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      found.push({ specifier: node.moduleSpecifier.text, typeOnly });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    } else if (ts.isImportTypeNode(node)) {
      found.push({ specifier: node.argument.getText().slice(1, -1), typeOnly: true });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push({ specifier: node.arguments[0]?.getText().slice(1, -1) ?? "", typeOnly: false });
    }
  }
  return found;
}

/** The path of an imported file below the project's folder; a package's name as it is. */
export function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return normalize(join(dirname(path), specifier)).replaceAll("\\", "/");
}
