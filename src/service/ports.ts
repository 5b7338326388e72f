/**
 * What the use cases need from outside: stores with compare-and-set, watches on them, and someone to
 * tell what happened. `nats/` implements the stores, `telemetry/` listens.
 */
import type { CoordinatorError } from "../protocol/errors.ts";
import type { Operation, OperationId, Reply, Request } from "../protocol/operations.ts";
import type { Task } from "../task/task.ts";
import type { Observe } from "./facts.ts";

export type { Fact, Observe } from "./facts.ts";

/** What every part of the service gets. */
export interface ServiceContext {
  readonly settings: ServiceSettings;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What became of a compare-and-set. */
export type WriteOutcome =
  | { readonly kind: "written"; readonly revision: number }
  /**
   * The entry's last revision is another one: nothing was written. `isDoubtful`: so says a server that
   * may not lead any more, while the one that does may have written it.
   */
  | { readonly kind: "conflict"; readonly isDoubtful?: true }
  /** No acknowledgement came: it may have been written, and may still be. */
  | { readonly kind: "unknown" };

/** A task's entry in the bucket, readable as a task or not. */
export type TaskEntry =
  | {
      readonly taskId: string;
      readonly revision: number;
      readonly task: Task;
      /** Which write it is of; `null`: it was not said. */
      readonly writeId: string | null;
    }
  | { readonly taskId: string; readonly revision: number; readonly corrupt: string }
  | { readonly taskId: string; readonly revision: number; readonly removed: true };

/**
 * Stores reject with `CoordinatorError` `unavailable` when they cannot be reached or do not serve.
 *
 * Watches begin with the current entries and then deliver each change in order. As soon as they are
 * interrupted they say `restarted`, perhaps more than once, until they begin again: the current
 * entries, `current`.
 */
export interface Watch<Entry> {
  /** From now on nothing is delivered but what the watch begins with, for the first time or again. */
  restarted(): void;
  /**
   * Whether the entry of this key at this revision is known, as this process has written it: it counts
   * as delivered then, and is not decoded. Without this method none is.
   */
  isKnown?(key: string, revision: number, writtenAt: number): boolean;
  entry(entry: Entry): void;
  /** Everything that was there when the watch (re)started has been delivered. */
  current(): void;
}

export interface BucketState {
  /** Another one after the bucket was made anew, when revisions begin at 1 again. */
  readonly id: string;
  /** Of the last write, even if nothing of it is left. */
  readonly lastRevision: number;
}

/** A read ends with what is reached first, but not before one entry; the bytes are those of records. */
export interface ReadLimit {
  readonly entries: number;
  readonly bytes: number;
}

/** A task and its encoded record. Encoding costs more than the rest of a write: it happens once. */
export interface PreparedTask {
  readonly task: Task;
  /** The record as the store keeps it. */
  readonly payload: Buffer;
}

export interface TaskStore {
  /** The leader's last entry of the task, `null` if there is none. */
  load(taskId: string): Promise<TaskEntry | null>;
  /** The leader's last revision over all tasks, of those that are still there. */
  lastRevision(): Promise<number>;
  state(): Promise<BucketState>;
  /** Encodes the task for `write`, and for those who only want to know its size. */
  prepare(task: Task): PreparedTask;
  /**
   * Writes the task if its last revision is the expected one; 0 stands for "none". The entry names the
   * `writeId`, by which a write whose outcome is in doubt can be found.
   */
  write(prepared: PreparedTask, expectedRevision: number, writeId?: string): Promise<WriteOutcome>;
  /** Another one each time, in any process. */
  newWriteId(): string;
  /** Removes what is older than the task's last revision, which this has to be. A purge is cheap then. */
  dropHistory(taskId: string, lastRevision: number): Promise<void>;
  /** Removes the task with its history; the marker of that removes itself after a while. */
  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome>;
  /** The entries that the bucket still has of the task, oldest first. */
  history(taskId: string): Promise<TaskEntry[]>;
  /** The entries after a revision that the bucket still has, in order; of one task, if it is named. */
  entriesAfter(revision: number, limit: ReadLimit, taskId?: string): Promise<TaskEntry[]>;
  watch(watch: Watch<TaskEntry>): Promise<Stoppable>;
}

export interface Lease {
  readonly taskId: string;
  readonly sessionId: string;
  readonly attempt: number;
  /** The `leaseEpoch` of the record that it belongs to. */
  readonly epoch: number;
  readonly ttlSeconds: number;
  /** Its session is known to know of it: it has renewed it, or was told of it twice. */
  readonly confirmed: boolean;
  /** What the session has said last of how far it is, as JSON; `null` if nothing. */
  readonly progress: unknown;
  /** Whose loss ends the lease; `null`: only its time does. */
  readonly connection: ConnectionId | null;
}

/** A client's NATS connection, by the server that it is connected to and its number there. */
export interface ConnectionId {
  readonly serverId: string;
  readonly clientId: number;
}

/** The last thing that happened to a task's lease. */
export type LeaseEntry =
  | {
      readonly kind: "live";
      readonly revision: number;
      readonly lease: Lease;
      /** When it was granted or last renewed, epoch milliseconds. */
      readonly writtenAt: number;
    }
  /** Its TTL ran out and the server removed it. */
  | {
      readonly kind: "expired";
      readonly taskId: string;
      readonly revision: number;
      /** When the server did so, epoch milliseconds. */
      readonly writtenAt: number;
    }
  /** A worker ended it before its time, as its connection is lost; from then on it is as if it had run out. */
  | {
      readonly kind: "disconnected";
      readonly revision: number;
      readonly lease: Lease;
      readonly writtenAt: number;
    }
  /** It was purged, or the entry is not readable. */
  | { readonly kind: "removed"; readonly taskId: string; readonly revision: number };

export interface LeaseStore {
  load(taskId: string): Promise<LeaseEntry | null>;
  /** Writes the lease with its TTL if the last revision is the expected one; 0 stands for "none". */
  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome>;
  /** Writes over the lease that its connection is lost. */
  disconnect(lease: Lease, expectedRevision: number): Promise<WriteOutcome>;
  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome>;
  watch(watch: Watch<LeaseEntry>): Promise<Stoppable>;
}

export interface Session {
  readonly sessionId: string;
  readonly capabilities: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly ttlSeconds: number;
  readonly registeredAt: number;
  /** The process that registered it last, of those that name one; `null` if none has. */
  readonly instance: string | null;
  /** The instances before that one, the latest last; a bounded number of them. */
  readonly replacedInstances: readonly string[];
}

export type SessionEntry =
  | { readonly kind: "live"; readonly revision: number; readonly session: Session }
  | {
      readonly kind: "gone";
      readonly sessionId: string;
      readonly revision: number;
      /** It was unregistered: its time has not just run out. */
      readonly isUnregistered?: true;
    };

export interface SessionStore {
  /** The leader's last revision over all sessions. */
  lastRevision(): Promise<number>;
  load(sessionId: string): Promise<SessionEntry | null>;
  /** Writes the session and starts its TTL anew. */
  write(session: Session, expectedRevision: number): Promise<WriteOutcome>;
  purge(sessionId: string, expectedRevision: number): Promise<WriteOutcome>;
  watch(watch: Watch<SessionEntry>): Promise<Stoppable>;
}

export interface Stores {
  readonly tasks: TaskStore;
  readonly leases: LeaseStore;
  readonly sessions: SessionStore;
}

export interface Stoppable {
  stop(): Promise<void>;
}

/** A valid request. */
export interface Call<O extends Operation = Operation> {
  readonly operation: O;
  /** The id from the subject. */
  readonly id: OperationId<O>;
  readonly body: Request<O>;
  /** The identity that the NATS server vouches for; `null`: the client is trusted. */
  readonly principal: string | null;
  /**
   * Whether the client still waits for the answer; `true` if that cannot be found out. Never rejects.
   */
  readonly isListening?: () => Promise<boolean>;
}

/** What a request is answered with. */
export interface Answer<Body extends object = object> {
  readonly body: Body;
  /** The request waited for a task or for this worker's index: its time is not that of a claim. */
  readonly hasWaited?: boolean;
  /** Takes back the new claims of the answer. To be called if nobody was there to receive it. */
  readonly undelivered?: () => void;
}

export type AnswerTo<O extends Operation> = Answer<Reply<O>>;

/** The service as the endpoints see it. */
export interface RequestHandler {
  /** Lets a request in, or says why not; the request is over when the returned function is called. */
  admit(principal: string | null): (() => void) | CoordinatorError;
  /** @throws CoordinatorError */
  handle(call: Call): Promise<Answer>;
}

/** Time and chance, passed in. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Between 0 and 1. */
  random(): number;
}

/** Settings that the use cases need; `config.ts` has their defaults and meaning. */
export interface ServiceSettings {
  readonly workerId: string;
  readonly version: string;
  readonly defaultTtlSeconds: number;
  readonly sessionTtlSeconds: number;
  readonly maxRecordBytes: number;
  /** What NATS carries in one message. Another server may carry another number, so ask each time. */
  readonly maxReplyBytes: number;
  readonly retentionSeconds: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** Default of tasks that are created without `max_failures`. */
  readonly maxFailures: number;
  /** Default of tasks that are created without `max_lost_leases`. */
  readonly maxLostLeases: number;
  readonly maxInFlight: number;
  readonly maxWaiting: number;
  /** Requests per second of one principal; 0: no limit. */
  readonly requestsPerSecond: number;
  /** How long a claim may be without a lease before any worker gives it one. */
  readonly leaseGraceMs: number;
  /** How long after an outage nobody loses a claim because of a lease that ran out meanwhile; 0: off. */
  readonly outageGraceMs: number;
  /** How long a session that lost its connection has to name another one before it loses its claims. */
  readonly disconnectGraceMs: number;
}
