/** What a server's acknowledgement says about a write. */
import type { Msg } from "@nats-io/transport-node";
import type { WriteOutcome } from "../service/ports.ts";

/** The server's error code if the key has another revision than the expected one. */
const WRONG_LAST_SEQUENCE = 10071;
/** The server's error code while another write of the key is under way. */
const WRITE_UNDER_WAY = 10164;

/** The server refuses the write, but not because of the revision. */
export interface Refused {
  readonly kind: "refused";
  readonly code: number | undefined;
  readonly why: string;
}

/** @param ack `null`: none came in time */
export function outcomeOf(ack: Msg | null, expectedRevision: number): WriteOutcome | Refused {
  // An empty acknowledgement means "no responders": the stream has no leader at the moment.
  if (ack === null || ack.data.length === 0) return { kind: "unknown" };
  const revision = quickSequence(ack.data);
  if (revision !== null) return { kind: "written", revision };
  const { seq, error } = ack.json<PublishAck>();
  if (error !== undefined) {
    const why = error.description ?? "no reason given";
    if (error.err_code === WRITE_UNDER_WAY) return { kind: "conflict", isDoubtful: true };
    if (error.err_code === WRONG_LAST_SEQUENCE) {
      return isFromBehind(why, expectedRevision)
        ? { kind: "conflict", isDoubtful: true }
        : { kind: "conflict" };
    }
    return { kind: "refused", code: error.err_code, why };
  }
  return seq === undefined ? { kind: "unknown" } : { kind: "written", revision: seq };
}

interface PublishAck {
  readonly seq?: number;
  readonly error?: { readonly err_code?: number; readonly description?: string };
}

/**
 * The sequence in an acknowledgement that begins and ends like `{"stream":"KV_tasks", "seq":12}`. Otherwise
 * `null`, and the acknowledgement has to be parsed. One with an error has no sequence, or 0.
 */
function quickSequence(ack: Uint8Array): number | null {
  let at = ack.length - 1;
  if (ack[at] !== BRACE || !hasAt(ack, 0, BEGINNING)) return null;
  let sequence = 0;
  for (let unit = 1, byte = ack[--at] ?? 0; isDigit(byte); unit *= 10, byte = ack[--at] ?? 0) {
    sequence += (byte - ZERO) * unit;
  }
  const isWhole = hasAt(ack, at + 1 - BEFORE_SEQUENCE.length, BEFORE_SEQUENCE);
  return isWhole && sequence > 0 && Number.isSafeInteger(sequence) ? sequence : null;
}

const BEGINNING = Buffer.from('{"stream":"');
const BEFORE_SEQUENCE = Buffer.from('"seq":');
const BRACE = 125;
const ZERO = 48;
const NINE = 57;

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function hasAt(bytes: Uint8Array, start: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[start + i] !== part[i]) return false;
  return true;
}

/**
 * Whether the refusal comes from a node that lags behind: its last revision is older than the expected
 * one. Such a node was the leader and has not noticed that it no longer is. It also receives the write,
 * and may answer before the real leader does.
 */
function isFromBehind(refusal: string, expectedRevision: number): boolean {
  const last = /\d+$/.exec(refusal)?.[0];
  return last === undefined || Number(last) < expectedRevision;
}
