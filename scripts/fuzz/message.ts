/** One message of a run, with everything that its sender decides. */

/**
 * Where the answer goes. The run listens on `inbox`, on `star` and `tail`, which contain a wildcard, and on
 * `long`, which has thousands of characters. `own` is the subject of the request itself; `nowhere` reaches
 * nobody.
 */
export const REPLIES = ["inbox", "star", "tail", "long", "none", "own", "nowhere"] as const;
export type ReplyTo = (typeof REPLIES)[number];

export interface FuzzMessage {
  /** The generator that made it, for the counts. */
  readonly source: string;
  /** Bytes, one per character. No space and no line break, which would end the connection. */
  readonly subject: string;
  /** A kind of subject, or a subject that is not for answers, such as that of a bucket. */
  readonly reply: ReplyTo | { readonly subject: string };
  /** The block of headers as bytes, malformed or not; `null`: none. */
  readonly headers: string | null;
  readonly payload: Buffer;
  /** The agent whose account sends it. Default: the account of the workers, which has no names. */
  readonly agent?: string;
}

/** NATS accepts lines of 4096 bytes, which contain both subjects. */
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

/** The text that `--replay` takes. */
export function toBase64(message: FuzzMessage): string {
  const json = { ...message, payload: message.payload.toString("base64") };
  return Buffer.from(JSON.stringify(json)).toString("base64");
}

/** @throws Error if the text does not come from `toBase64` */
export function fromBase64(text: string): FuzzMessage {
  type Encoded = Omit<FuzzMessage, "payload"> & { readonly payload: string };
  const json = JSON.parse(Buffer.from(text, "base64").toString()) as Encoded;
  return { ...json, payload: Buffer.from(json.payload, "base64") };
}

/** A line for people. */
export function describe({ subject, reply, headers, payload }: FuzzMessage): string {
  const to = typeof reply === "string" ? reply : reply.subject;
  const head = headers === null ? "" : `, headers ${JSON.stringify(headers.slice(0, 80))}`;
  const body = payload.toString("latin1", 0, 160);
  const more = payload.length > 160 ? `... (${payload.length} bytes)` : "";
  const about = subject.length > 200 ? `${subject.slice(0, 200)}...` : subject;
  return `${JSON.stringify(about)}, reply to ${to}${head}, payload ${JSON.stringify(body)}${more}`;
}
