const LONGEST = 100;

/** A text for an error message, which must not carry all that a client has sent. */
export function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
