/** What the attacker knows of the hidden tasks, and the marks of what it must not see. */
import { ATTACKER, HONEST } from "./set-up.ts";

const [OWNER] = HONEST;

/** In payloads, metadata, results, errors and progress. */
export const CONTENT = "content-of-others";
/** In titles, reasons and ids. The attacker sends neither this nor `CONTENT`. */
export const DEFINITION = "definition-of-others";
/** The attacker knows the tag, the session and all ids but one. */
export const KNOWN_TAG = "plan";
export const KNOWN_SESSION = `${OWNER}.spied`;
export const KNOWN_IDS = ["claimed", "large", "complete", "failed", "cancelled", "blocked"].map(
  (name) => `hidden.${name}`,
);
export const UNKNOWN_ID = `hidden.${DEFINITION}`;
/** A task of the attacker, on which a hidden one depends. */
export const BAIT = `${ATTACKER}.bait`;
