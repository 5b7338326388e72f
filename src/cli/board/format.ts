/** Numbers, times and values in as few characters as possible. */
import { kept } from "./kept-text.ts";

/** `950`, `12.5k`, `100k`, `1.2M`. */
export function shortNumber(value: number): string {
  if (value < 1_000) return String(value);
  const [scaled, unit] = value < 999_500 ? [value / 1_000, "k"] : [value / 1_000_000, "M"];
  return `${scaled < 99.95 ? scaled.toFixed(1).replace(/\.0$/, "") : Math.round(scaled)}${unit}`;
}

/** The time of the day on this machine: `14:02:31`. */
export function clockTime(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** What a session has reported, which is any JSON: `{"done":3,"total":10}` as `done 3, total 10`. */
export function progressText(progress: unknown): string {
  const isObject = typeof progress === "object" && progress !== null && !Array.isArray(progress);
  const text = isObject
    ? Object.entries(progress)
        .map(([name, value]) => `${name} ${valueText(value)}`)
        .join(", ")
    : valueText(progress);
  return kept(text);
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
