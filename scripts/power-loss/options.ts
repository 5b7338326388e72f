/** The options of `npm run power-loss`. */
import { parse, UsageError } from "../options/command-line.ts";
import { flag, nodes, oneOf, type Option, seed, whole } from "../options/kinds.ts";

export type Victims = "1" | "all" | "unlucky";

/** `null`: the default of the server. */
const sync: Option<string | null> = {
  value: "default|always|<n>s",
  what: "sync_interval of the NATS servers",
  fallback: null,
  shown: "default",
  takes: "default, always, or a time such as 1s or 100ms",
  read: (text) => (text === "default" ? null : /^(always|\d+m?s)$/.exec(text)?.[0]),
};

export const SCRIPT = {
  name: "npm run power-loss",
  does: "Cuts the power of NATS nodes, and compares the acknowledged writes with what is left.",
  options: {
    sync,
    nodes: nodes(1),
    victims: oneOf<Victims>(
      ["1", "all", "unlucky"],
      "nodes that lose power: one, all, or (unlucky) one whose data the others miss",
      "all",
    ),
    seconds: whole("how long sessions write before", 60, { min: 1 }),
    seed: seed("repeats the requests of an earlier run"),
    price: flag("measures claims per second with each setting instead, in turns"),
    rounds: whole("turns of each setting with --price", 7, { min: 1 }),
  },
};

export type PowerLossOptions = ReturnType<typeof parseOptions>;

/** @throws UsageError */
export function parseOptions(args: readonly string[]) {
  const { values } = parse(SCRIPT, args);
  if (values.victims === "unlucky" && values.nodes === 1) {
    throw new UsageError(SCRIPT, "--victims unlucky: takes one node of three, add --nodes 3");
  }
  return values;
}

/** The options that repeat the run. */
export function formatOptions(options: PowerLossOptions): string {
  const { seed, nodes, seconds, victims, sync, price, rounds } = options;
  if (price) return `--price --nodes ${nodes} --rounds ${rounds}`;
  return `--sync ${sync ?? "default"} --nodes ${nodes} --victims ${victims} --seconds ${seconds} --seed ${seed}`;
}
