/** The options of `npm run chaos`. */
import { parse, UsageError } from "../options/command-line.ts";
import { duration, flag, nodes, seed, text, whole, workers } from "../options/kinds.ts";
import { FAULTS } from "../lab/faults/all.ts";

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

export const SCRIPT = {
  name: "npm run chaos",
  does: "Brings faults about in a real cluster, and judges whether its guarantees held.",
  options: {
    duration: duration("how long faults are brought about", "60s"),
    seed: seed("repeats the schedule of an earlier run"),
    nodes: nodes(3),
    workers: workers(3),
    sessions: whole("sessions, each with a connection", 20),
    faults: text("<names>", "only these faults, separated by commas", null, { shown: "all" }),
    "list-faults": flag("says which there are, and does nothing else"),
    "no-namespaces": flag("all processes on one host, as where namespaces are not allowed"),
  },
};

/** `null`: only the faults are to be listed. @throws UsageError */
export function parseOptions(args: readonly string[]): ChaosOptions | null {
  const { values } = parse(SCRIPT, args);
  if (values["list-faults"]) return null;
  const { seed, duration: durationMs, nodes, workers, sessions } = values;
  const faults = values.faults?.split(",").map((name) => name.trim()) ?? null;
  const unknown = faults?.find((name) => FAULTS.every((fault) => fault.name !== name));
  if (unknown !== undefined) {
    throw new UsageError(SCRIPT, `--faults ${unknown}: takes names that --list-faults shows`);
  }
  const namespaces = !values["no-namespaces"];
  return { seed, durationMs, nodes, workers, sessions, namespaces, faults };
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
