/** The options of `npm run chaos`. */
import { nearest } from "../../src/protocol/nearest.ts";
import { FAULTS } from "../lab/faults/all.ts";
import { parse, UsageError } from "../options/command-line.ts";
import { duration, flag, nodes, seed, text, whole, workers } from "../options/kinds.ts";

export const SCRIPT = {
  name: "npm run chaos",
  does: "Causes faults in a real cluster, and judges whether its guarantees hold.",
  options: {
    duration: duration("how long faults happen", "60s"),
    seed: seed("repeats the schedule of an earlier run"),
    nodes: nodes(3),
    workers: workers(3),
    sessions: whole("sessions, each with a connection", 20),
    faults: text("<names>", "only these faults, separated by commas", null, { shown: "all" }),
    "list-faults": flag("lists the faults and does nothing else"),
    secured: flag("serves only agents and operators, and the garbage comes from an agent"),
    "no-namespaces": flag("runs all processes on one host, as where namespaces are not allowed"),
  },
};

export type ChaosOptions = NonNullable<ReturnType<typeof parseOptions>>;

/** @returns `null` for `--list-faults`. @throws UsageError */
export function parseOptions(args: readonly string[]) {
  const { values } = parse(SCRIPT, args);
  if (values["list-faults"]) return null;
  const { seed, duration: durationMs, nodes, workers, sessions, secured } = values;
  const faults = values.faults?.split(",").map((name) => name.trim()) ?? null;
  const unknown = faults?.find((name) => FAULTS.every((fault) => fault.name !== name));
  if (unknown !== undefined) {
    const meant = nearest(
      unknown,
      FAULTS.map(({ name }) => name),
    );
    const guess = meant === undefined ? "" : `; did you mean ${meant}?`;
    throw new UsageError(
      SCRIPT,
      `--faults ${unknown}: takes names that --list-faults shows${guess}`,
    );
  }
  const namespaces = !values["no-namespaces"];
  return { seed, durationMs, nodes, workers, sessions, namespaces, faults, secured };
}

/** The options that repeat the run. */
export function formatOptions(options: ChaosOptions): string {
  const { seed, durationMs, nodes, workers, sessions, namespaces, faults, secured } = options;
  return [
    ...[`--seed ${seed} --nodes ${nodes} --workers ${workers} --sessions ${sessions}`],
    ...[`--duration ${durationMs / 1000}s`],
    ...(secured ? ["--secured"] : []),
    ...(namespaces ? [] : ["--no-namespaces"]),
    ...(faults === null ? [] : [`--faults "${faults.join(",")}"`]),
  ].join(" ");
}
