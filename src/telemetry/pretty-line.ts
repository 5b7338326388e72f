/** The log for people: time, level, message and `key=value`, then the indented stack, if there is one. */

/** Makes a line of JSON from pino readable. */
export function prettyLine(json: string): string {
  const { time, level, msg, err, worker_id, ...fields } = JSON.parse(json) as Record<
    string,
    unknown
  >;
  const clock = typeof time === "string" ? time.slice(11, 23) : "";
  const words = [clock, text(level).toUpperCase().padEnd(5), oneLine(text(msg))];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) words.push(`${name}=${readable(value)}`);
  }
  if (worker_id !== undefined) words.push(`worker_id=${readable(worker_id)}`);
  return `${words.join(" ")}\n${stackOf(err)}`;
}

function readable(value: unknown): string {
  if (typeof value === "number") return String(Math.round(value * 1e6) / 1e6);
  // A value with blanks, quotes or line ends must not look like other fields or another line.
  return typeof value === "string" && /^[^\s"=\p{C}]+$/u.test(value)
    ? value
    : oneLine(JSON.stringify(value));
}

function stackOf(err: unknown): string {
  if (typeof err !== "object" || err === null) return "";
  const { stack, message } = err as { stack?: unknown; message?: unknown };
  const lines = text(stack ?? message).split("\n");
  return lines.map((line) => `    ${oneLine(line.trim())}\n`).join("");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Escapes control and formatting characters, which could forge a line or control a terminal. */
function oneLine(line: string): string {
  return line.replace(
    /\p{C}/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
