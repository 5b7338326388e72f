/** Whether the coordinator can serve, what is missing if not, and what else an operator should know. */

export interface Health {
  /** Whether NATS can be reached now. */
  readonly connected: boolean;
  /** Whether the worker can answer requests. */
  readonly ready: boolean;
  /** What else there is to say, for instance what is missing; becomes part of the JSON. */
  readonly detail: object;
}

export interface WorkerHealth {
  /** `null` before the worker has told it. */
  readonly id: string | null;
  readonly connected: boolean;
  /** Whether it has read the bucket and follows its changes. */
  readonly index_current: boolean;
  /** Why it cannot serve although it is connected, a sentence each; one is enough not to be ready. */
  readonly problems: readonly string[];
  /** What an operator should know and change; it serves all the same. */
  readonly warnings: readonly string[];
}

/** All of the workers together: what one of them lacks, the whole does. */
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

/** Whether nothing stands between the workers and NATS; an index that is being read does not count. */
export function isBusHealthy(workers: readonly WorkerHealth[]): boolean {
  return healthOf(workers).connected && workers.every(({ problems }) => problems.length === 0);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** The problems and warnings of one worker, each under what it is about, until it is over. */
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
