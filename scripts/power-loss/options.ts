/** The options of `npm run power-loss`. */
import { parse, UsageError } from "../options/command-line.ts";
import { flag, nodes, oneOf, type Option, seed, whole } from "../options/kinds.ts";

/** Who loses power: one node, all of them, or one while pauses keep what it knew from the rest. */
export type Victims = "1" | "all" | "unlucky";

export interface PowerLossOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Until the power fails. */
  readonly seconds: number;
  readonly victims: Victims;
  /** As nats-server takes it; `null`: its default. */
  readonly sync: string | null;
  /** Measures what each setting costs, and takes nobody's power. */
  readonly price: boolean;
  readonly rounds: number;
}

/** `null`: the server's default. */
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
  does: "Takes the power of NATS nodes, and compares what was acknowledged with what is left.",
  options: {
    sync,
    nodes: nodes(1),
    victims: oneOf<Victims>(
      ["1", "all", "unlucky"],
      "who loses power: one node, all, or (unlucky) one while pauses keep what it knew from the rest",
      "all",
    ),
    seconds: whole("how long is written before", 60, { min: 1 }),
    seed: seed("repeats what is asked for"),
    price: flag("instead: claims per second with each setting, in turns"),
    rounds: whole("how often each setting takes its turn with --price", 7, { min: 1 }),
  },
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): PowerLossOptions {
  const { values } = parse(SCRIPT, args);
  if (values.victims === "unlucky" && values.nodes === 1) {
    throw new UsageError(SCRIPT, "--victims unlucky: takes one of three, add --nodes 3");
  }
  return values;
}

/** As a command takes them. */
export function formatOptions(options: PowerLossOptions): string {
  const { seed, nodes, seconds, victims, sync, price, rounds } = options;
  if (price) return `--price --nodes ${nodes} --rounds ${rounds}`;
  return `--sync ${sync ?? "default"} --nodes ${nodes} --victims ${victims} --seconds ${seconds} --seed ${seed}`;
}
