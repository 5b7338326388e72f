/** How deep JSON may be nested: what parses must also be written again without exhausting the stack. */

export const MAX_JSON_DEPTH = 64;

/** Whether arrays and objects are nested deeper than `levels` in what was parsed. */
export function isTooDeep(json: unknown, levels = MAX_JSON_DEPTH): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(json)) return json.some((inner) => isTooDeep(inner, levels - 1));
  for (const name in json) {
    if (isTooDeep((json as Record<string, unknown>)[name], levels - 1)) return true;
  }
  return false;
}
