/** Merges the metrics of several processes. `metric-table.ts` says how for each gauge. */
import { AggregatorRegistry, Registry } from "prom-client";
import type { MetricsSnapshot } from "./metrics.ts";

export class MergedMetrics {
  /** The `Content-Type` of what `render` returns. */
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  /** The last answer of each process. */
  readonly #last = new Map<object, MetricsSnapshot>();
  /** The counts of processes that have ended. */
  #past: MetricsSnapshot = [];

  /**
   * All metrics in the text format of Prometheus. The counts of a process stay, even if it does not answer or
   * has ended. Otherwise a counter would fall, and Prometheus would take it for one that began again at 0.
   *
   * @param answers of all current processes, each by an object that identifies it; `null` if a process did
   *   not answer
   */
  async render(answers: ReadonlyMap<object, MetricsSnapshot | null>): Promise<string> {
    for (const [source, answer] of answers) {
      if (answer !== null) this.#last.set(source, answer);
    }
    for (const [source, last] of this.#last) {
      if (answers.has(source)) continue;
      this.#past = snapshotOf(merge([this.#past, countedIn(last)]));
      this.#last.delete(source);
    }
    const parts = [...answers].map(
      ([source, answer]) => answer ?? countedIn(this.#last.get(source) ?? []),
    );
    return merge(withoutSilence([...parts, this.#past])).metrics();
  }
}

function merge(parts: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate([...parts]);
}

/** Merged metrics contain their values, which the types of prom-client do not say. */
function snapshotOf(merged: Registry): MetricsSnapshot {
  return merged.getMetricsAsArray() as unknown as MetricsSnapshot;
}

/** The metrics that only grow. A gauge is about now, so it says nothing about a process that has ended. */
function countedIn(metrics: MetricsSnapshot): MetricsSnapshot {
  return metrics.filter(({ type }) => type !== "gauge");
}

/** Leaves out NaN, which means "no value", if another process has a value. */
function withoutSilence(parts: readonly MetricsSnapshot[]): MetricsSnapshot[] {
  const known = parts.flat().filter(({ values }) => values.some(isNumber));
  const names = new Set(known.map(({ name }) => name));
  return parts.map((metrics) =>
    metrics.map((metric) =>
      names.has(metric.name) ? { ...metric, values: metric.values.filter(isNumber) } : metric,
    ),
  );
}

function isNumber({ value }: { readonly value: number }): boolean {
  return !Number.isNaN(value);
}
