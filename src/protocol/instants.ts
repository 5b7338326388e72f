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

export function isoOrNull(millis: number | null): string | null {
  return millis === null ? null : iso(millis);
}
