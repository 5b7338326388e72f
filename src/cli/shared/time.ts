/** Times and durations in short form, as `kubectl` shows them. */
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** The two largest units of a duration in milliseconds: 45s, 3m20s, 2d4h. Negative durations count as 0s. */
export function formatDuration(ms: number): string {
  let left = Math.max(0, Math.floor(ms / 1_000));
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0s" : parts.join("");
}

/** How long ago the time is, by the clock of this machine; `-` if there is none. */
export function formatAge(time: string | null, now: number): string {
  const at = time === null ? NaN : Date.parse(time);
  return Number.isNaN(at) ? "-" : formatDuration(now - at);
}
