/** Verdicts on the workers: who answers, with which version and settings, and how busy they are. */
import type { WorkerFacts } from "../../../nats/inspection/worker-facts.ts";
import type { Reply } from "../../../protocol/operations.ts";
import { PROTOCOL_VERSION } from "../../../protocol/operations.ts";
import { count, type Finding, found, ok, shortList } from "../finding.ts";

/** Each worker, and how one of them answered a request. */
export interface WorkersFacts {
  readonly workers: readonly WorkerFacts[];
  readonly answer:
    | { readonly kind: "stats"; readonly stats: Reply<"tasks.stats"> }
    | { readonly kind: "nobody" }
    | { readonly kind: "failed"; readonly problem: string };
}

/** The text of a reply with the code `internal`. */
const DEFECT = "the coordinator has a defect";
const NEAR = 0.8;

/** @param version of this command */
export function judgeWorkers({ workers, answer }: WorkersFacts, version: string): Finding[] {
  if (answer.kind === "failed") {
    const running = workers.length === 0 ? "" : `${count(workers.length, "worker")} run, but `;
    return [found("not_answered", `${running}a request failed: ${answer.problem}`)];
  }
  if (answer.kind === "nobody") {
    return workers.length === 0
      ? [found("no_worker", "no worker answers")]
      : [
          found(
            "not_answered",
            `${count(workers.length, "worker")} run, but nobody answers requests`,
          ),
        ];
  }
  const { worker } = answer.stats;
  if (workers.length === 0) {
    return [
      found(
        "workers_unseen",
        `worker ${worker.id} (version ${worker.version}) answers; there may be others`,
      ),
    ];
  }
  const findings = [...judgeVersions(workers), ...judgeSettings(workers), ...judgeErrors(workers)];
  if (findings.length > 0) return findings;
  const own = worker.version === version ? "" : `; this command is version ${version}`;
  const requests = workers.reduce((sum, { requests: number }) => sum + number, 0);
  return [
    ok(
      `${count(workers.length, "worker")} of version ${worker.version}${own}; ` +
        `${count(requests, "request")} answered since they started`,
    ),
  ];
}

function judgeVersions(workers: readonly WorkerFacts[]): Finding[] {
  const other = workers.filter(({ protocol }) => majorOf(protocol) !== majorOf(PROTOCOL_VERSION));
  const findings: Finding[] = [];
  if (other.length > 0) {
    const each = other.map(({ id, protocol }) => `${id} speaks ${protocol}`);
    const text = `this command speaks protocol ${PROTOCOL_VERSION}, but ${shortList(each)}`;
    findings.push(found("protocol_differs", text));
  }
  const versions = groupBy(workers, (worker) => worker.version ?? "unknown");
  if (versions.size > 1) {
    const each = [...versions].map(([version, ids]) => `${version}: ${shortList(ids, 3)}`);
    findings.push(found("worker_versions_differ", each.join("; ")));
  }
  return findings;
}

function judgeSettings(workers: readonly WorkerFacts[]): Finding[] {
  const names = new Set(workers.flatMap(({ settings }) => Object.keys(settings ?? {})));
  const differing = [...names].flatMap((name) => {
    const announced = workers.filter(({ settings }) => settings !== null && name in settings);
    const values = groupBy(announced, ({ settings }) => JSON.stringify(settings?.[name]));
    if (values.size < 2) return [];
    return [
      `${name} is ${[...values].map(([value, ids]) => `${value} (${shortList(ids, 2)})`).join(", ")}`,
    ];
  });
  return differing.length === 0 ? [] : [found("settings_differ", differing.join("; "))];
}

function judgeErrors(workers: readonly WorkerFacts[]): Finding[] {
  const defective = workers.filter(({ lastErrors }) =>
    lastErrors.some((error) => error.startsWith(DEFECT)),
  );
  if (defective.length === 0) return [];
  return [found("worker_defect", shortList(defective.map(({ id }) => id)))];
}

/** Uses what the workers announce. Older workers do not, so then the worker that answered stands for all. */
export function judgeWaiting({ workers, answer }: WorkersFacts): Finding[] {
  if (answer.kind !== "stats") return [];
  const known = workers.filter(({ waiting }) => waiting !== null);
  const full = known.filter(({ waiting, settings }) => {
    const limit = settings?.["limits.waiting"];
    return typeof limit === "number" && limit > 0 && (waiting ?? 0) >= NEAR * limit;
  });
  if (full.length > 0) {
    const each = full.map(
      ({ id, waiting, settings }) =>
        `${id} has ${waiting ?? 0} of ${String(settings?.["limits.waiting"])}`,
    );
    return [found("requests_near_limit", shortList(each))];
  }
  const { worker, ready } = answer.stats;
  const total =
    known.length > 0 ? known.reduce((sum, { waiting }) => sum + (waiting ?? 0), 0) : worker.waiting;
  const where = known.length > 0 ? "" : ` at worker ${worker.id}`;
  const wait = total === 1 ? "waits" : "wait";
  return [
    ok(`${count(total, "request")} ${wait} for a task${where}; ${count(ready, "task")} ready`),
  ];
}

/** @param reported whether each worker that answered receives reports of lost connections, by its id */
export function judgeReports(reported: ReadonlyMap<string, boolean>): Finding[] {
  const without = [...reported].filter(([, isOn]) => !isOn).map(([id]) => id);
  if (reported.size === 0) return [];
  if (without.length === 0)
    return [ok("workers receive reports: claims can end with their connection")];
  if (without.length < reported.size)
    return [found("reports_differ", `no reports for ${shortList(without)}`)];
  return [ok("not reported to the workers, so claims end when their leases do")];
}

function groupBy(
  workers: readonly WorkerFacts[],
  keyOf: (worker: WorkerFacts) => string,
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const worker of workers) {
    const key = keyOf(worker);
    groups.set(key, [...(groups.get(key) ?? []), worker.id]);
  }
  return groups;
}

function majorOf(version: string): string {
  return version.split(".", 1)[0] ?? "";
}
