/** Durations as people say them. */

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** In the two largest units that it has: `45s`, `1m30s`, `2h5m`, `3d`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  for (const [i, [unit, size]] of UNITS.entries()) {
    if (seconds < size) continue;
    const [smaller, part] = UNITS[i + 1] ?? (["s", 1] as const);
    const rest = Math.floor((seconds % size) / part);
    return `${Math.floor(seconds / size)}${unit}${rest === 0 ? "" : `${rest}${smaller}`}`;
  }
  return `${seconds}s`;
}
