/** Clocks of workers that are moved, as by an operator or a virtual machine that is woken up. */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../../src/simulation/random.ts";
import type { Cluster } from "../cluster.ts";
import type { ClockMessage } from "../worker.ts";
import { between, type Fault, LONG_MS, pick } from "./fault.ts";

const HOUR_MS = 3_600_000;

export const CLOCK_FAULTS: readonly Fault[] = [
  {
    name: "a clock is moved forwards",
    run: (cluster, random) => moved(cluster, random, 1),
  },
  {
    name: "a clock is moved backwards",
    run: (cluster, random) => moved(cluster, random, -1),
  },
];

async function moved({ workers }: Cluster, random: Random, sign: 1 | -1): Promise<void> {
  const worker = pick(workers, random);
  const move = (clockOffsetMs: number): void => {
    worker.tell({ clockOffsetMs } satisfies ClockMessage);
  };
  move(sign * between(HOUR_MS, 48 * HOUR_MS, random));
  await delay(random() * LONG_MS);
  move(0);
}
