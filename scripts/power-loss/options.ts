/** The options of `npm run power-loss`. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

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

const USAGE = `npm run power-loss -- [options]
  --sync default|always|<n>s  sync_interval of the NATS servers (default)
  --nodes <1 or 3>            NATS servers; three keep every record three times (1)
  --victims 1|all|unlucky     who loses power; unlucky: one of three, while another is behind and
                              the one that is not is paused until the two have gone on (all)
  --seconds <n>               how long is written before (60)
  --seed <n>                  repeats what is asked for (drawn by chance)
  --price                     instead: claims per second with each setting, in turns
  --rounds <n>                of --price (7)`;

/** @throws Error with the usage */
export function parseOptions(args: readonly string[]): PowerLossOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sync: { type: "string", default: "default" },
      nodes: { type: "string", default: "1" },
      victims: { type: "string", default: "all" },
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      price: { type: "boolean", default: false },
      rounds: { type: "string", default: "7" },
    },
  });
  const victims = (["1", "all", "unlucky"] as const).find((one) => one === values.victims);
  const numbers = [values.nodes, values.seconds, values.seed, values.rounds].map(Number);
  const [nodes = NaN, seconds = NaN, seed = NaN, rounds = NaN] = numbers;
  const isValid =
    numbers.every((n) => Number.isSafeInteger(n) && n >= 0) &&
    [1, 3].includes(nodes) &&
    seconds >= 1 &&
    rounds >= 1 &&
    /^(default|always|\d+m?s)$/.test(values.sync);
  if (!isValid || victims === undefined || (victims === "unlucky" && nodes === 1)) {
    throw new Error(USAGE);
  }
  const sync = values.sync === "default" ? null : values.sync;
  return { seed, nodes, seconds, victims, sync, price: values.price, rounds };
}

/** As a command takes them. */
export function formatOptions(options: PowerLossOptions): string {
  const { seed, nodes, seconds, victims, sync } = options;
  return `--sync ${sync ?? "default"} --nodes ${nodes} --victims ${victims} --seconds ${seconds} --seed ${seed}`;
}
