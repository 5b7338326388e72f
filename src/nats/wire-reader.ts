/** Reads what a NATS server sends in the text protocol. A chunk of a socket can end anywhere. */

export interface Frame {
  /** `INFO`, `MSG`, `HMSG`, `PING`, `PONG`, `+OK` or `-ERR`. */
  readonly verb: string;
  /** The rest of the line: for a message, its subject and more. */
  readonly rest: string;
  /** Of a message. */
  readonly text: string;
  /** The status in the headers of a message, such as `503`. Empty: it has none. */
  readonly status: string;
}

const LINE_END = "\r\n";

export class WireReader {
  #left: Buffer = Buffer.alloc(0);

  /** The frames that are complete now. */
  *read(chunk: Buffer): Generator<Frame> {
    this.#left = Buffer.concat([this.#left, chunk]);
    for (let frame = this.#next(); frame !== null; frame = this.#next()) yield frame;
  }

  #next(): Frame | null {
    const lineEnd = this.#left.indexOf(LINE_END);
    if (lineEnd === -1) return null;
    const [, verb = "", rest = ""] =
      /^(\S+)\s*(.*)$/.exec(this.#left.toString("utf8", 0, lineEnd)) ?? [];
    const body = lineEnd + LINE_END.length;
    const { headers, total } = sizesOf(verb, rest);
    const end = total === null ? body : body + total + LINE_END.length;
    if (this.#left.length < end) return null;
    const status = this.#left.toString("latin1", body, body + headers);
    const text = this.#left.toString("utf8", body + headers, body + (total ?? 0));
    this.#left = this.#left.subarray(end);
    return { verb, rest, text, status: /^NATS\/1\.0 (\d+)/.exec(status)?.[1] ?? "" };
  }
}

/** In bytes. `total` is `null` for a frame that has no body. */
function sizesOf(verb: string, rest: string): { headers: number; total: number | null } {
  const words = rest.split(" ");
  const total = Number(words.at(-1));
  if (verb === "MSG") return { headers: 0, total };
  if (verb === "HMSG") return { headers: Number(words.at(-2)), total };
  return { headers: 0, total: null };
}
