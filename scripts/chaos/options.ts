/** The options of `npm run chaos`. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { parseDuration } from "../duration.ts";
import { FAULTS } from "./faults/all.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** 1: one replica; 3: a cluster with three. */
  readonly nodes: number;
  readonly workers: number;
  readonly sessions: number;
  /** Whether each process gets a host of its own, where that is allowed. */
  readonly namespaces: boolean;
  /** The names of those to draw from; `null`: all. */
  readonly faults: readonly string[] | null;
}

const USAGE = `npm run chaos -- [options]
  --duration <n>s|m|h  how long faults are brought about (60s)
  --seed <n>           repeats the schedule of an earlier run (drawn by chance)
  --nodes <1 or 3>     NATS servers; three keep every record three times (3)
  --workers <n>        workers, each a process (3)
  --sessions <n>       sessions, each with a connection (20)
  --faults <names>     only these faults, separated by commas (all)
  --list-faults        says which there are, and does nothing else
  --no-namespaces      all processes on one host, as where network namespaces are not allowed`;

/** `null`: only the faults are to be listed. @throws Error with the usage */
export function parseOptions(args: readonly string[]): ChaosOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      duration: { type: "string", default: "60s" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      nodes: { type: "string", default: "3" },
      workers: { type: "string", default: "3" },
      sessions: { type: "string", default: "20" },
      faults: { type: "string" },
      "list-faults": { type: "boolean", default: false },
      "no-namespaces": { type: "boolean", default: false },
    },
  });
  if (values["list-faults"]) return null;
  const options = {
    seed: Number(values.seed),
    durationMs: parseDuration(values.duration),
    nodes: Number(values.nodes),
    workers: Number(values.workers),
    sessions: Number(values.sessions),
  };
  const faults = values.faults?.split(",").map((name) => name.trim()) ?? null;
  const unknown = faults?.find((name) => FAULTS.every((fault) => fault.name !== name));
  if (unknown !== undefined) throw new Error(`no fault is named "${unknown}"\n${USAGE}`);
  const numbers = Object.values(options);
  const isValid = numbers.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isValid || ![1, 3].includes(options.nodes) || options.workers < 1) throw new Error(USAGE);
  return { ...options, namespaces: !values["no-namespaces"], faults };
}

/** As a command takes them. */
export function formatOptions(options: ChaosOptions): string {
  const { seed, durationMs, nodes, workers, sessions, namespaces, faults } = options;
  return [
    ...[`--seed ${seed} --nodes ${nodes} --workers ${workers} --sessions ${sessions}`],
    ...[`--duration ${durationMs / 1000}s`],
    ...(namespaces ? [] : ["--no-namespaces"]),
    ...(faults === null ? [] : [`--faults "${faults.join(",")}"`]),
  ].join(" ");
}
