/** One message of a run: everything that its sender decides. */

/**
 * Where the answer is to go. `inbox`, `star` and `tail` are subjects on which the run listens, the latter
 * two with a wildcard in them; `long` is one of thousands of characters; `own` is the subject of the
 * request itself; `nowhere` reaches nobody.
 */
export const REPLIES = ["inbox", "star", "tail", "long", "none", "own", "nowhere"] as const;
export type ReplyTo = (typeof REPLIES)[number];

export interface FuzzMessage {
  /** Which generator made it, for the counts. */
  readonly source: string;
  /** As bytes, each one character; never with a space or a line break, which ends the connection. */
  readonly subject: string;
  /** A kind of subject, or a subject that is not for answers, such as one of a bucket. */
  readonly reply: ReplyTo | { readonly subject: string };
  /** The block as bytes, malformed or not; `null`: none. */
  readonly headers: string | null;
  readonly payload: Buffer;
}

/** NATS takes lines of 4096 bytes, in which the subjects have to find room. */
const LONGEST_SUBJECTS = 3_900;

/** The reply subject of the message with this number; `""`: none. */
export function replySubject(
  { reply, subject }: FuzzMessage,
  root: string,
  serial: number,
): string {
  if (typeof reply === "object") return reply.subject;
  switch (reply) {
    case "inbox":
      return `${root}.${serial}`;
    case "star":
      return `${root}.${serial}.*`;
    case "tail":
      return `${root}.${serial}.>`;
    case "long":
      return `${root}.${serial}.`.padEnd(LONGEST_SUBJECTS - subject.length, "x");
    case "none":
      return "";
    case "own":
      return subject;
    case "nowhere":
      return `${root}..${serial}`;
  }
}

/** Whether the run listens there. */
export function isHeard({ reply }: FuzzMessage): boolean {
  return typeof reply === "string" && ["inbox", "star", "tail", "long"].includes(reply);
}

/** As text that `--replay` takes. */
export function toBase64(message: FuzzMessage): string {
  const json = { ...message, payload: message.payload.toString("base64") };
  return Buffer.from(JSON.stringify(json)).toString("base64");
}

/** @throws Error if the text is none of ours */
export function fromBase64(text: string): FuzzMessage {
  const json = JSON.parse(Buffer.from(text, "base64").toString()) as Omit<
    FuzzMessage,
    "payload"
  > & {
    readonly payload: string;
  };
  return { ...json, payload: Buffer.from(json.payload, "base64") };
}

/** As a line for people. */
export function describe({ subject, reply, headers, payload }: FuzzMessage): string {
  const to = typeof reply === "string" ? reply : reply.subject;
  const head = headers === null ? "" : `, headers ${JSON.stringify(headers.slice(0, 80))}`;
  const body = payload.toString("latin1", 0, 160);
  const more = payload.length > 160 ? `... (${payload.length} bytes)` : "";
  const about = subject.length > 200 ? `${subject.slice(0, 200)}...` : subject;
  return `${JSON.stringify(about)}, reply to ${to}${head}, payload ${JSON.stringify(body)}${more}`;
}
