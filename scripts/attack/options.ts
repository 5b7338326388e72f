/** The options of `npm run attack`. */
import { parse, unknown } from "../options/command-line.ts";
import { flag, oneOf, text, whole } from "../options/kinds.ts";
import { ROWS } from "./rows.ts";
import { type Mode, MODES } from "./set-up.ts";

/** Of one attack. */
const SECONDS = { short: 3, full: 15 };

export interface AttackOptions {
  readonly rows: readonly string[];
  readonly modes: readonly Mode[];
  readonly seconds: number;
  readonly short: boolean;
  /** Whether slow answers, and those that come too late, are no failures. */
  readonly untimed: boolean;
  readonly dist: string | null;
  readonly json: string | null;
}

export const SCRIPT = {
  name: "npm run attack",
  does: "Attacks a real coordinator as one agent, and judges what the other agents notice.",
  options: {
    only: text("<row,...>", "attacks that are carried out", null, { shown: "all" }),
    mode: oneOf([...MODES, "both"], "with accounts, without them, or both in turn", "both"),
    seconds: whole("the time of each attack", null, { min: 1, shown: `${SECONDS.full}` }),
    short: flag("takes a few minutes for all rows, as in CI"),
    dist: text("<folder>", "attacks the workers of another build", null, { shown: "this build" }),
    json: text("<file>", "also writes the result as JSON", null, { shown: "no file" }),
    untimed: flag("judges no times, for machines that do other work"),
    list: flag("shows the attacks and does nothing else"),
  },
};

/** `null`: only the list is wanted. @throws UsageError */
export function parseOptions(args: readonly string[]): AttackOptions | null {
  const { only, mode, seconds, short, untimed, dist, json, list } = parse(SCRIPT, args).values;
  if (list) return null;
  const names = ROWS.map(({ name }) => name);
  const rows = only === null ? names : only.split(",").map((name) => name.trim());
  const wrong = rows.find((name) => !names.includes(name));
  if (wrong !== undefined) throw unknown(SCRIPT, "attack", wrong, names, "--list shows them");
  return {
    rows,
    modes: mode === "both" ? MODES : [mode],
    seconds: seconds ?? SECONDS[short ? "short" : "full"],
    ...{ short, untimed, dist, json },
  };
}

export function listOfRows(): string[] {
  const width = Math.max(...ROWS.map(({ name }) => name.length));
  return ROWS.map(({ name, does }) => `${name.padEnd(width)}  ${does}`);
}
