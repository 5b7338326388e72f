/** Fields of a record that this version does not know: it ignores them and writes them back. */

/** `null` if there are none. */
export function unknownFieldsOf(
  record: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): Record<string, unknown> | null {
  let unknown: [string, unknown][] | null = null;
  for (const name in record) {
    if (!known.has(name)) (unknown ??= []).push([name, record[name]]);
  }
  return unknown === null ? null : Object.fromEntries(unknown);
}
