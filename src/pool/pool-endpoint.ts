/** The HTTP endpoint for workers in several processes. It asks each worker, and answers for all of them. */
import type { Config } from "../config.ts";
import { type Health, healthOf } from "../telemetry/health.ts";
import { type HttpEndpoint, startHttpEndpoint } from "../telemetry/http-endpoint.ts";
import { MergedMetrics } from "../telemetry/merged-metrics.ts";
import type { WorkerReport } from "./messages.ts";

/** The answer of a worker. */
export interface Answer {
  /** Identifies the process. */
  readonly worker: { readonly id: string | null };
  /** `null` if the worker did not answer. */
  readonly report: WorkerReport | null;
}

/** @param ask asks all current workers */
export function startPoolEndpoint(
  { metrics: settings, workers }: Config,
  ask: () => Promise<readonly Answer[]>,
): Promise<HttpEndpoint> {
  const merged = new MergedMetrics();
  const render = async (): Promise<string> => {
    const answers = await ask();
    return merged.render(
      new Map(answers.map(({ worker, report }) => [worker, report?.metrics ?? null])),
    );
  };
  return startHttpEndpoint({
    ...settings,
    metrics: { contentType: merged.contentType, render },
    health: async () => healthOfAll(await ask(), workers),
  });
}

/**
 * A worker that does not answer, or has ended and is not replaced yet, makes the whole not ready. It does not
 * count for `connected`, because it is not known whether it can reach NATS.
 */
function healthOfAll(answers: readonly Answer[], size: number): Health {
  const known = answers.flatMap(({ report }) => report?.health ?? []);
  const silent = answers.filter(({ report }) => report === null).map(({ worker }) => worker.id);
  const missing = Array.from({ length: size - answers.length }, () => null);
  const unknown = [...silent, ...missing].map((id) => ({
    id,
    connected: false,
    index_current: false,
    problems: [],
    warnings: [],
  }));
  const { connected, ready } = healthOf(known);
  const { detail } = healthOf([...known, ...unknown]);
  return { connected, ready: ready && unknown.length === 0, detail };
}
