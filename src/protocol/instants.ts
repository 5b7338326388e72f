/** Times as the wire spells them: ISO-8601, in UTC. */

/** Most times of a record are those of its last transition, and many tasks are made at a time. */
const KNOWN = 256;
/** Each in a place of its own, by its last digits. */
const known: { readonly millis: number; readonly text: string }[] = Array.from(
  { length: KNOWN },
  () => ({ millis: NaN, text: "" }),
);

export function iso(millis: number): string {
  const place = millis & (KNOWN - 1);
  const there = known[place];
  if (there?.millis === millis) return there.text;
  const text = new Date(millis).toISOString();
  known[place] = { millis, text };
  return text;
}

/** Whether `iso` spells it with a year of four digits, as readers expect. */
export function isWireTime(millis: number): boolean {
  return millis >= FIRST && millis <= LAST;
}
const FIRST = Date.parse("0000-01-01T00:00:00.000Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");

export function millisOrNull(time: string | null | undefined): number | null {
  return time === null || time === undefined ? null : Date.parse(time);
}

export function isoOrNull(millis: number | null): string | null {
  return millis === null ? null : iso(millis);
}
