/**
 * Refuses words that make the prose hard to read, in comments and texts of the code and in the
 * documentation, and names the better word. `npm run check` runs it over everything;
 * `node scripts/check-words.js src/client README.md` over what is named.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const EVERYTHING = [
  ...["src", "test", "scripts", "bench", "examples", "docs", "config", ".github"],
  ...["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md", "SECURITY.md"],
  ...["nats-server.conf", "docker-compose.yml", "Dockerfile"],
];
/** What is generated (from docstrings, which are checked), installed, or has to name the words. */
const SKIPPED = /(^|\/)(node_modules|dist|docs\/api)\/|check-words/;
const CODE = /\.(tsx?|js)$/;
const PROSE = /(\.(md|ya?ml|conf|py|go|sh)|Dockerfile)$/;

/** What is refused, and what to write in its place. */
const WORDS = [
  [/\bwho(so)?ever\b/i, '"anyone who", "the session that"'],
  [/\bwhatever\b/i, '"anything that", "all that"'],
  [/\banew\b/i, '"again"'],
  [/\bno more\b(?! than\b| tasks\b| claims\b)/i, '"no longer"'],
  [/(?:[;,(:] |\. )else\b/i, '"otherwise"'],
  [/\bhea(?:rs?|rd) of\b/i, '"is notified of", "receives"'],
  [/\b(?:told|tells?) of\b/i, '"notifies", "reports"'],
  [/\bhad from\b/i, '"received from"'],
  [/\b(?:is|are|was|were) to be\b/i, '"must be", "should be"'],
  [/\b(?:bring|brings|bringing|brought) about\b/i, '"cause", "inject"'],
  [/\bbeside\b/i, '"next to", "in addition to"'],
  [/\bas it were\b/i, "nothing"],
  [
    /\b(?:hence(?:forth)?|thereby|there(?:in|of)|where(?:in|of)|whence)\b/i,
    '"so", "in it", "of it"',
  ],
  [/\blikewise\b/i, '"also"'],
  [/\bin vain\b/i, '"without success"'],
  [/\bfor ever\b/i, '"forever"'],
  [/\bof its own accord\b/i, '"by itself"'],
  [/\bto the effect that\b/i, '"that"'],
  [/\bin the meantime\b/i, '"meanwhile"'],
];

/**
 * @param {string} name of the file: code is checked in its comments and texts only
 * @param {string} content
 * @returns {string[]} one line for each word that is refused
 */
export function refusedWords(name, content) {
  const prose = CODE.test(name) ? proseOf(name, content) : content;
  return prose.split("\n").flatMap((line, index) =>
    WORDS.flatMap(([word, better]) => {
      const found = word.exec(line.replace(/^[\s/*#>-]+/, ""));
      return found === null ? [] : [`${name}:${index + 1}: "${found[0].trim()}": write ${better}`];
    }),
  );
}

/** The code with everything but comments and texts left blank, so that lines keep their numbers. */
function proseOf(name, code) {
  const kept = code.split("").map((character) => (character === "\n" ? "\n" : " "));
  const keep = (from, to) => {
    for (let at = from; at < to; at++) kept[at] = code[at];
  };
  const source = ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    if (
      ts.isStringLiteralLike(node) ||
      ts.isJsxText(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node)
    ) {
      keep(node.getStart(source), node.end);
    }
    for (const comment of ts.getLeadingCommentRanges(code, node.pos) ?? [])
      keep(comment.pos, comment.end);
    for (const comment of ts.getTrailingCommentRanges(code, node.end) ?? [])
      keep(comment.pos, comment.end);
    node.getChildren(source).forEach(visit);
  };
  visit(source);
  return kept.join("");
}

function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => `${path}/${name}`);
}

function main(paths) {
  const files = paths
    .flatMap(filesOf)
    .filter((path) => !SKIPPED.test(path) && (CODE.test(path) || PROSE.test(path)))
    .filter((path) => !path.endsWith(".d.ts") && statSync(path).isFile());
  const refused = files.flatMap((path) => refusedWords(path, readFileSync(path, "utf8")));
  for (const line of refused) console.error(line);
  if (refused.length > 0) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const named = process.argv.slice(2);
  const unknown = named.find((path) => !existsSync(path));
  if (unknown !== undefined) {
    const usage =
      "node scripts/check-words.js [files and folders], by default all that are checked";
    const isHelp = unknown === "--help" || unknown === "-h";
    console.error(isHelp ? usage : `there is no file ${unknown} (${usage})`);
    process.exit(isHelp ? 0 : 2);
  }
  if (named.length === 0) process.chdir(ROOT);
  main(named.length === 0 ? EVERYTHING : named);
}
