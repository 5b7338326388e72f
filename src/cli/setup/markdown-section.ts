/** Adds a section to a Markdown file that people edit, at its end, and takes it out again. */

const START = "<!-- if-coordinator: begin -->";
const END = "<!-- if-coordinator: end -->";

/** The text with the section. An older form of it is replaced. */
export function addSection(text: string, content: string): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const block = [START, ...content.split("\n"), END].join(eol);
  const range = rangeOf(text);
  if (range !== null) return text.slice(0, range.start) + block + text.slice(range.end);
  return text + separatorAfter(text, eol) + block + eol;
}

/** The text without the section. The same text if it has none. */
export function removeSection(text: string): string {
  const range = rangeOf(text);
  if (range === null) return text;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const [before, after] = [text.slice(0, range.start), text.slice(range.end)];
  const separator = separatorAfter(before, eol);
  const base =
    separator !== "" && before.endsWith(separator) ? before.slice(0, -separator.length) : before;
  return base + after.slice(after.startsWith(eol) ? eol.length : 0);
}

/** An empty line, if the last line has an end. So the text before can be told from the text after. */
function separatorAfter(text: string, eol: string): string {
  return text === "" ? "" : eol;
}

function rangeOf(text: string): { readonly start: number; readonly end: number } | null {
  const start = text.indexOf(START);
  const end = text.indexOf(END, start);
  return start < 0 || end < 0 ? null : { start, end: end + END.length };
}
