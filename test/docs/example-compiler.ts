/** Compiles the examples of the documentation against the published types, as their readers would. */
import { join } from "node:path";
import ts from "typescript";
import { ROOT } from "../support/markdown.ts";

export interface Example {
  /** Where it stands, for messages. */
  readonly name: string;
  readonly text: string;
}

export const PUBLISHED_TYPES = join(ROOT, "dist/src/index.d.ts");

/** What examples use without having made it. */
const GLOBALS = `
import type { Claim, Coordinator, EventBus, TaskWorker } from "if-coordinator";
declare global {
  const bus: EventBus;
  const coordinator: Coordinator;
  const claim: Claim;
  const worker: TaskWorker;
  /** Stands for the work. */
  function summarize(text: string, signal: AbortSignal): Promise<string>;
}
`;

/** A public name, and whether it vanishes when it is compiled. */
export interface PublicName {
  readonly name: string;
  readonly isType: boolean;
}

/** What the package exports, by its declarations. */
export function publicNames(): PublicName[] {
  const program = createProgram(new Map(), options(), [PUBLISHED_TYPES]);
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(PUBLISHED_TYPES);
  const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`${PUBLISHED_TYPES} is missing: run npm run build`);
  return checker.getExportsOfModule(module).map((symbol) => ({
    name: symbol.name,
    isType: symbol.declarations?.every(isTypeOnly) ?? false,
  }));
}

/**
 * Compiles each example as a module of its own, with the options of this project, except that it need not
 * use all that it shows. Public names are imported for it.
 *
 * @returns a line for each error: the example's name, the line in it, and what is wrong
 */
export function compileExamples(examples: readonly Example[]): string[] {
  const names = publicNames();
  const modules = new Map(
    examples.map(({ name, text }, i) => {
      const code = `${importsFor(text, names)}\n${text}\nexport {};\n`;
      return [join(ROOT, `example-${i}.ts`), { name, text: code }];
    }),
  );
  const globals = join(ROOT, "example-globals.ts");
  const texts = new Map([...modules].map(([path, { text }]) => [path, text]));
  const program = createProgram(texts.set(globals, GLOBALS), options());
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const { file, start = 0 } = diagnostic;
    const name = modules.get(join(file?.fileName ?? ""))?.name ?? file?.fileName ?? "options";
    // The first line is the import.
    const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
    return `${name}, line ${line}: ${messageOf(diagnostic)}`;
  });
}

/** Compiles a program of somebody who has all types checked that it refers to, and no types of a browser. */
export function compileForConsumer(text: string): string[] {
  const program = createProgram(new Map([[join(ROOT, "consumer.ts"), text]]), {
    ...options(),
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts"],
    skipLibCheck: false,
    // The types of NATS are not made for it.
    exactOptionalPropertyTypes: false,
  });
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const where = diagnostic.file?.fileName.replace(ROOT, "") ?? "";
    return `${where}: ${messageOf(diagnostic)}`;
  });
}

function options(): ts.CompilerOptions {
  const path = join(ROOT, "tsconfig.json");
  const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: object };
  };
  const given = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  return {
    ...given.options,
    noEmit: true,
    noUnusedLocals: false,
    paths: { "if-coordinator": [PUBLISHED_TYPES] },
  };
}

/** Of files that are on the disk, by their path and how they are read: each is read once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** A program of files that are not on the disk, and of others. */
function createProgram(
  texts: ReadonlyMap<string, string>,
  compilerOptions: ts.CompilerOptions,
  others: readonly string[] = [],
): ts.Program {
  const host = ts.createCompilerHost(compilerOptions);
  const withTexts: ts.CompilerHost = {
    ...host,
    fileExists: (path) => texts.has(join(path)) || host.fileExists(path),
    readFile: (path) => texts.get(join(path)) ?? host.readFile(path),
    getSourceFile: (path, language, ...rest) => {
      const text = texts.get(join(path));
      if (text !== undefined) return ts.createSourceFile(path, text, language, true);
      const key = `${path} ${JSON.stringify(language)}`;
      if (!parsed.has(key)) parsed.set(key, host.getSourceFile(path, language, ...rest));
      return parsed.get(key);
    },
  };
  return ts.createProgram([...texts.keys(), ...others], compilerOptions, withTexts);
}

/** Imports the public names that the example uses and does not import itself. */
function importsFor(text: string, names: readonly PublicName[]): string {
  const used = new Set<string>();
  const imported = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportSpecifier(node)) imported.add(node.name.text);
    else if (ts.isIdentifier(node)) used.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("example.ts", text, ts.ScriptTarget.Latest, true));
  const specifiers = names
    .filter(({ name }) => used.has(name) && !imported.has(name))
    .map(({ name, isType }) => (isType ? `type ${name}` : name));
  return specifiers.length === 0
    ? ""
    : `import { ${specifiers.join(", ")} } from "if-coordinator";`;
}

function isTypeOnly(declaration: ts.Declaration): boolean {
  if (!ts.isExportSpecifier(declaration)) return false;
  return declaration.isTypeOnly || declaration.parent.parent.isTypeOnly;
}

function messageOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, "\n");
}
