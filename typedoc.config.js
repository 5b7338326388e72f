/** `npm run docs` makes docs/api of the docstrings of what src/index.ts exports. */
import { fileURLToPath } from "node:url";
import { Converter, ReflectionKind, UnionType } from "typedoc";
import ts from "typescript";

const MISSING = ts.TypeFlags.Null | ts.TypeFlags.Undefined;
const ENTRY_POINT = fileURLToPath(new URL("src/index.ts", import.meta.url));

/** @type {Partial<import("typedoc").TypeDocOptions>} */
export default {
  name: "API reference",
  entryPoints: [ENTRY_POINT],
  tsconfig: fileURLToPath(new URL("tsconfig.json", import.meta.url)),
  out: "docs/api",
  plugin: ["typedoc-plugin-markdown", typesByName, classesAsClasses],
  readme: "none",
  // What `npm run check` checks.
  skipErrorChecking: true,
  // Whatever would change with every edit, or from machine to machine.
  disableSources: true,
  disableGit: true,
  excludeExternals: true,
  excludeInternal: true,
  sort: ["source-order"],
  treatWarningsAsErrors: true,
  // The schemas: docs/protocol.md has their fields.
  intentionallyNotExported: ["OPERATIONS"],
  // A page for each class, and one for everything else.
  router: "member",
  membersWithOwnFile: ["Class"],
  hidePageHeader: true,
  hideBreadcrumbs: true,
  indexFormat: "table",
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  typeDeclarationFormat: "table",
  // The text of an initializer or a schema says nothing; docstrings name the defaults.
  tableColumnSettings: {
    hideDefaults: true,
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
  },
};

/**
 * Shows types as they are written, and those that nobody has written, such as the fields of a schema, by
 * the public name that they have: `TaskStatus` and not the six values that it stands for.
 */
function typesByName(app) {
  const names = new Map();
  app.converter.on(Converter.EVENT_BEGIN, ({ programs }) => {
    for (const program of programs) {
      const checker = program.getTypeChecker();
      const module = checker.getSymbolAtLocation(program.getSourceFile(ENTRY_POINT));
      for (const exported of checker.getExportsOfModule(module)) {
        const symbol = checker.getAliasedSymbol(exported);
        if ((symbol.flags & ts.SymbolFlags.TypeAlias) === 0) continue;
        names.set(checker.getDeclaredTypeOfSymbol(symbol), symbol);
      }
    }
  });
  const convertType = app.converter.convertType.bind(app.converter);
  app.converter.convertType = (context, type, node) => {
    // What is inherited from a class of the language was written for that class.
    const isOurs = node?.getSourceFile().isDeclarationFile === false;
    if (isOurs) return convertType(context, node);
    const value = "kind" in type ? type : context.checker.getNonNullableType(type);
    const symbol = names.get(value);
    // An alias itself is shown as what it stands for.
    if (symbol === undefined || context.scope.kindOf(ReflectionKind.TypeAlias)) {
      return convertType(context, type);
    }
    const reference = context.createSymbolReference(symbol, context);
    if (value === type) return reference;
    const others = type.types.filter(({ flags }) => (flags & MISSING) !== 0);
    return new UnionType([reference, ...others.map((other) => convertType(context, other))]);
  };
}

/** TypeDoc takes classes that are exported as types, since only the library makes them, for interfaces. */
function classesAsClasses(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const { declarations = [] } = context.getSymbolFromReflection(reflection) ?? {};
    if (declarations.some(ts.isClassDeclaration)) reflection.kind = ReflectionKind.Class;
  });
}
