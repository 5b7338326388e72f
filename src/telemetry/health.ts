/** Whether the coordinator can serve, and what is missing if not. */

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
}

/** All of the workers together: what one of them lacks, the whole does. */
export function healthOf(workers: readonly WorkerHealth[]): Health {
  const connected = workers.length > 0 && workers.every((worker) => worker.connected);
  const current = workers.every((worker) => worker.index_current);
  return { connected, ready: connected && current, detail: { workers } };
}
