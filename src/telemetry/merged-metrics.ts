/** The metrics of several processes as one; `metric-table.ts` says what becomes of each gauge. */
import { AggregatorRegistry, Registry } from "prom-client";
import type { MetricsSnapshot } from "./metrics.ts";

export class MergedMetrics {
  /** The `Content-Type` of what `render` returns. */
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  /** What each process told last. */
  readonly #told = new Map<object, MetricsSnapshot>();
  /** What those had counted that are gone. */
  #past: MetricsSnapshot = [];

  /**
   * All metrics in Prometheus' text format. What a process has counted stays, even if it does not answer
   * or is gone: Prometheus takes a counter that falls for one that began anew at 0, and would count the
   * rest once more.
   *
   * @param answers of all the processes that there are, each under an object that stands for it; `null`
   *   if it did not answer
   */
  async render(answers: ReadonlyMap<object, MetricsSnapshot | null>): Promise<string> {
    for (const [source, answer] of answers) {
      if (answer !== null) this.#told.set(source, answer);
    }
    for (const [source, last] of this.#told) {
      if (answers.has(source)) continue;
      this.#past = snapshotOf(merge([this.#past, countedIn(last)]));
      this.#told.delete(source);
    }
    const parts = [...answers].map(
      ([source, answer]) => answer ?? countedIn(this.#told.get(source) ?? []),
    );
    return merge(withoutSilence([...parts, this.#past])).metrics();
  }
}

function merge(parts: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate([...parts]);
}

/** Merged metrics have their values with them, which is not declared. */
function snapshotOf(merged: Registry): MetricsSnapshot {
  return merged.getMetricsAsArray() as unknown as MetricsSnapshot;
}

/** What only grows. A gauge is about now, and tells nothing of one that is not there. */
function countedIn(metrics: MetricsSnapshot): MetricsSnapshot {
  return metrics.filter(({ type }) => type !== "gauge");
}

/** Leaves out NaN, "nothing to tell", wherever another process has something to tell. */
function withoutSilence(parts: readonly MetricsSnapshot[]): MetricsSnapshot[] {
  const told = parts.flat().filter(({ values }) => values.some(isNumber));
  const names = new Set(told.map(({ name }) => name));
  return parts.map((metrics) =>
    metrics.map((metric) =>
      names.has(metric.name) ? { ...metric, values: metric.values.filter(isNumber) } : metric,
    ),
  );
}

function isNumber({ value }: { readonly value: number }): boolean {
  return !Number.isNaN(value);
}
