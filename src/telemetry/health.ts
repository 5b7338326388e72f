/** Whether the coordinator can serve, why not, and what else an operator should know. */

export interface Health {
  /** Whether NATS can be reached now. */
  readonly connected: boolean;
  /** Whether the worker can answer requests. */
  readonly ready: boolean;
  /** More fields for the JSON, such as the problems. */
  readonly detail: object;
}

export interface WorkerHealth {
  /** `null` until the worker has reported it. */
  readonly id: string | null;
  readonly connected: boolean;
  /** Whether the worker has read the bucket and follows its changes. */
  readonly index_current: boolean;
  /** Why the worker cannot serve although it is connected, one sentence each. With any, it is not ready. */
  readonly problems: readonly string[];
  /** What an operator should change, one sentence each. The worker serves anyway. */
  readonly warnings: readonly string[];
}

/** The health of all workers together. It is only as good as that of each worker. */
export function healthOf(workers: readonly WorkerHealth[]): Health {
  const connected = workers.length > 0 && workers.every((worker) => worker.connected);
  const problems = distinct(workers.flatMap((worker) => worker.problems));
  const warnings = distinct(workers.flatMap((worker) => worker.warnings));
  const current = workers.every((worker) => worker.index_current);
  return {
    connected,
    ready: connected && current && problems.length === 0,
    detail: { problems, warnings, workers },
  };
}

/** Whether all workers can use NATS. An index that is still being read does not count. */
export function isBusHealthy(workers: readonly WorkerHealth[]): boolean {
  return healthOf(workers).connected && workers.every(({ problems }) => problems.length === 0);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** The current problems and warnings of one worker, by their subject. */
export class HealthNotes {
  readonly #problems = new Map<string, string>();
  readonly #warnings = new Map<string, string>();

  get problems(): string[] {
    return [...this.#problems.values()];
  }

  get warnings(): string[] {
    return [...this.#warnings.values()];
  }

  /** @param problem a sentence with the cure; `null`: it is over */
  problem(about: string, problem: string | null): void {
    note(this.#problems, about, problem);
  }

  /** @param warning a sentence with the cure; `null`: it is over */
  warning(about: string, warning: string | null): void {
    note(this.#warnings, about, warning);
  }
}

function note(notes: Map<string, string>, about: string, text: string | null): void {
  if (text === null) notes.delete(about);
  else notes.set(about, text);
}
