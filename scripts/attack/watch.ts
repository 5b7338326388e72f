/** Looks at the processes during an attack: memory, processor time, and whether the worker is ready. */
import { readProcess } from "../lab/process-figures.ts";
import type { Target } from "./target.ts";

const LOOK_MS = 200;
/** Each look asks the worker, which has other things to do. */
const READY_EVERY = 5;

export interface Watched {
  /** The most that the worker and the NATS server had. */
  readonly workerMiB: number;
  readonly serverMiB: number;
  /** How often the worker was asked whether it is ready, and said no or nothing within 5 s. */
  readonly notReady: number;
  /** Of one core, for each process by name. */
  readonly busy: Readonly<Record<string, number>>;
}

export class Watch {
  readonly #target: Target;
  readonly #attacker: number;
  readonly #before: ReadonlyMap<string, number>;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #asked: Promise<void>[] = [];
  #looks = 0;
  #workerMiB = 0;
  #serverMiB = 0;
  #notReady = 0;

  /** @param attacker its process */
  constructor(target: Target, attacker: number) {
    this.#target = target;
    this.#attacker = attacker;
    this.#before = this.#cpuSeconds();
    this.#look();
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_MS);
  }

  /** The shares of the processors since the start of the watch. */
  busy(): Readonly<Record<string, number>> {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const shares = [...this.#cpuSeconds()].map(([name, now]) => {
      return [name, Math.max(0, now - (this.#before.get(name) ?? 0)) / seconds] as const;
    });
    return Object.fromEntries(shares);
  }

  async stop(busy: Readonly<Record<string, number>>): Promise<Watched> {
    clearInterval(this.#timer);
    this.#look();
    await Promise.all(this.#asked);
    const [workerMiB, serverMiB] = [this.#workerMiB, this.#serverMiB];
    return { workerMiB, serverMiB, notReady: this.#notReady, busy };
  }

  #look(): void {
    this.#workerMiB = Math.max(this.#workerMiB, this.#figures("worker")?.residentMiB ?? 0);
    this.#serverMiB = Math.max(this.#serverMiB, this.#figures("server")?.residentMiB ?? 0);
    if (this.#looks++ % READY_EVERY === 0) this.#asked.push(this.#ask());
  }

  async #ask(): Promise<void> {
    if (!(await this.#target.isReady())) this.#notReady++;
  }

  #figures(name: ProcessName): ReturnType<typeof readProcess> {
    const pid = { worker: this.#target.workerPid, server: this.#target.serverPid }[name];
    return pid === undefined ? null : readProcess(pid);
  }

  #cpuSeconds(): Map<string, number> {
    return new Map([
      ["attacker", readProcess(this.#attacker)?.cpuSeconds ?? 0],
      ["worker", this.#figures("worker")?.cpuSeconds ?? 0],
      ["server", this.#figures("server")?.cpuSeconds ?? 0],
    ]);
  }
}

type ProcessName = "worker" | "server";
