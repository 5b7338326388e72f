/** Takes a sample of all figures every few seconds, without those that cannot be had at the moment. */
import { pause } from "../../src/client/waiting.ts";
import { TASK_STATUSES } from "../../src/task/task.ts";
import type { Cluster } from "../lab/cluster.ts";
import { readProcess } from "../lab/process-figures.ts";
import { quantile } from "../lab/statistics.ts";
import type { BucketFigures, Buckets } from "./bucket-figures.ts";
import {
  GROUPS,
  HEAP,
  latencyGroup,
  NODE_MEMORY,
  NONE_LEFT,
  OPEN,
  OPEN_FILES,
  SERVER_MEMORY,
  SUBSCRIBED,
} from "./figures.ts";
import { fetchText, type NodeFigures, parseMetrics, parseNode } from "./http-figures.ts";
import type { Meter } from "./meter.ts";
import { type Group, type Rule, SeriesStore } from "./series.ts";

export interface SamplerOptions {
  readonly cluster: Cluster;
  readonly buckets: Buckets;
  readonly meter: Meter;
  readonly everyMs: number;
}

/** A slower answer belongs to no sample. */
const TIMEOUT_MS = 900;
const MEBIBYTE = 1024 * 1024;

export class Sampler implements AsyncDisposable {
  readonly series = new SeriesStore();
  readonly #options: SamplerOptions;
  readonly #startedAt = performance.now();
  readonly #pids = new Map<string, number>();
  readonly #cpu = new Map<string, { readonly at: number; readonly seconds: number }>();
  readonly #end = new AbortController();
  readonly #running: Promise<void>;
  #lastAt = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#running = this.#run();
    // The error reaches the caller of `asyncDispose`.
    this.#running.catch(() => undefined);
  }

  /** Seconds since the start. */
  get now(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const startedAt = this.now;
      await this.#sample();
      const leftMs = this.#options.everyMs - (this.now - startedAt) * 1000;
      await pause(Math.max(0, leftMs), signal).catch(() => undefined);
    }
  }

  async #sample(): Promise<void> {
    const { buckets, cluster } = this.#options;
    const { nodes, workers } = cluster;
    // Before any request, because requests need descriptors as well.
    this.#process("driver", process.pid, NODE_MEMORY, OPEN);
    this.#add("driver", GROUPS.heap, process.memoryUsage().heapUsed / MEBIBYTE, HEAP);
    for (const { name, pid } of workers) this.#process(name, pid, NODE_MEMORY, OPEN);
    // Connections move between servers, so a series of its own counts them.
    for (const { name, pid } of nodes) this.#process(name, pid, SERVER_MEMORY, OPEN_FILES);
    this.#load();
    const [nodeFigures] = await Promise.all([
      Promise.all(nodes.map(({ name }) => this.#node(name))),
      ...workers.map(({ name }) => this.#worker(name)),
      buckets.read(TIMEOUT_MS).then((found) => {
        this.#buckets(found);
      }),
    ]);
    this.#allNodes(nodeFigures);
  }

  #process(name: string, pid: number | undefined, memory: Rule, descriptors: Rule): void {
    const figures = pid === undefined ? null : readProcess(pid);
    if (pid === undefined || figures === null) return;
    const before = this.#pids.get(name);
    if (before !== undefined && before !== pid) {
      this.series.restarted(name, this.now);
      this.#cpu.delete(name);
    }
    this.#pids.set(name, pid);
    this.#add(name, GROUPS.memory, figures.residentMiB, memory);
    this.#add(name, GROUPS.descriptors, figures.descriptors, descriptors);
    const at = this.now;
    const last = this.#cpu.get(name);
    if (last !== undefined) {
      const share = (figures.cpuSeconds - last.seconds) / (at - last.at);
      this.#add(name, GROUPS.cpu, share * 100);
    }
    this.#cpu.set(name, { at, seconds: figures.cpuSeconds });
  }

  async #worker(name: string): Promise<void> {
    const text = await this.#fetch(`${this.#options.cluster.figuresUrl(name)}/metrics`);
    if (text === null) return;
    const metrics = parseMetrics(text);
    const heap = metrics.get("nodejs_heap_size_used_bytes") ?? NaN;
    this.#add(name, GROUPS.heap, heap / MEBIBYTE, HEAP);
    const waiting = metrics.get("if_coordinator_waiting_requests");
    this.#add(`${name} parked requests`, GROUPS.waiting, waiting, NONE_LEFT);
    const sessions = metrics.get("if_coordinator_sessions");
    this.#add(`${name} sessions`, GROUPS.waiting, sessions, NONE_LEFT);
  }

  async #node(name: string): Promise<NodeFigures | null> {
    const text = await this.#fetch(`${this.#options.cluster.figuresUrl(name)}/varz`);
    if (text === null) return null;
    const figures = parseNode(text);
    this.#add(name, GROUPS.connections, figures.connections);
    this.#add(name, GROUPS.subscriptions, figures.subscriptions);
    return figures;
  }

  /** Clients change the server in a fault, so only all servers together return to their level. */
  #allNodes(figures: readonly (NodeFigures | null)[]): void {
    const known = figures.filter((of) => of !== null);
    if (known.length < figures.length) return;
    const sum = (of: (figure: NodeFigures) => number): number =>
      known.reduce((all, figure) => all + of(figure), 0);
    this.#add(
      "all nodes",
      GROUPS.connections,
      sum(({ connections }) => connections),
      NONE_LEFT,
    );
    const subscriptions = sum((figure) => figure.subscriptions);
    this.#add("all nodes", GROUPS.subscriptions, subscriptions, SUBSCRIBED);
  }

  #buckets({ figures, tasks }: BucketFigures): void {
    for (const { name, group, value, rule } of figures) this.#add(name, group, value, rule);
    for (const status of TASK_STATUSES) {
      this.#add(status, GROUPS.tasks, tasks[status], NONE_LEFT);
    }
  }

  #load(): void {
    const seconds = this.now - this.#lastAt;
    this.#lastAt = this.now;
    const { counts, latencies, errors } = this.#options.meter.take();
    this.#rates(GROUPS.operations, counts, seconds);
    this.#rates(GROUPS.errors, errors, seconds);
    for (const [name, values] of latencies) {
      for (const percent of [50, 95, 99]) {
        this.#add(`p${percent}`, latencyGroup(name), quantile(values, percent / 100));
      }
    }
  }

  /** A name that has occurred before, but not in this interval, has the rate 0. */
  #rates(group: Group, counts: ReadonlyMap<string, number>, seconds: number): void {
    const known = this.series.all.filter((series) => series.group === group);
    const names = new Set([...known.map(({ name }) => name), ...counts.keys()]);
    for (const name of names) this.#add(name, group, (counts.get(name) ?? 0) / seconds);
  }

  #add(name: string, group: Group, value: number | undefined, rule: Rule | null = null): void {
    this.series.add({ name, group, rule }, this.now, value);
  }

  /** `null` if the process is down, paused or cut off. */
  async #fetch(url: string): Promise<string | null> {
    try {
      return await fetchText(url, TIMEOUT_MS);
    } catch {
      return null;
    }
  }
}
