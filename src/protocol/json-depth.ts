/** How deep JSON may be nested: what parses must also be written again without exhausting the stack. */

export const MAX_JSON_DEPTH = 64;

/** Whether the text nests arrays and objects deeper than `MAX_JSON_DEPTH`. */
export function isTooDeep(json: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (inString) {
      if (char === BACKSLASH) i++;
      else if (char === QUOTE) inString = false;
    } else if (char === QUOTE) inString = true;
    else if (char === BRACE || char === BRACKET) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (char === BRACE_END || char === BRACKET_END) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;
