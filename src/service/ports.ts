/**
 * The ports of the service: what it needs from outside. `nats/` implements the stores and calls the service
 * (`requests.ts`); `telemetry/` and the tests listen to its facts.
 */
import type { CompactTask } from "../protocol/compact-task.ts";
import type { LeaseName } from "../protocol/lease-key.ts";
import type { ReadRules } from "../protocol/principal-rules.ts";
import type { ServiceSettings } from "./service-settings.ts";
import type { EncodedRecord } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { Observe } from "./facts.ts";

export type { Fact, Observe } from "./facts.ts";
export type { Answer, AnswerTo, Arrival, Call, Place, RequestHandler } from "./requests.ts";

/** What every part of the service gets. */
export interface ServiceContext {
  readonly settings: ServiceSettings;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** The outcome of a compare-and-set. */
export type WriteOutcome =
  | { readonly kind: "written"; readonly revision: number }
  /**
   * The entry's last revision is not the expected one, so nothing was written. `isDoubtful`: the server
   * that says so may no longer be the leader, and the leader may have written the entry.
   */
  | { readonly kind: "conflict"; readonly isDoubtful?: true }
  /** No acknowledgement came: the entry may have been written, or may still be. */
  | { readonly kind: "unknown" };

/** A task's entry in the bucket, readable as a task or not. */
export type TaskEntry =
  | {
      readonly taskId: string;
      readonly revision: number;
      readonly task: Task;
      /** The size of the record. */
      readonly bytes: number;
      /** The id of the write that stored the entry; `null` if it names none, or if a watch delivered it. */
      readonly writeId: string | null;
    }
  | UnreadableTask;

/** An entry that is a task, as the leader has it. */
export type LoadedTask = Extract<TaskEntry, { readonly task: Task }>;

/** An entry that is not a task. */
export type UnreadableTask =
  | { readonly taskId: string; readonly revision: number; readonly corrupt: string }
  | { readonly taskId: string; readonly revision: number; readonly removed: true };

/** The same as the index keeps it. */
export type WatchedTask = CompactTask | UnreadableTask;

/**
 * The receiver of a bucket's entries. A watch delivers the current entries first, then `current`, then
 * each change in order. When it is interrupted, it calls `restarted`, perhaps more than once, and begins
 * again with the current entries.
 */
export interface Watch<Entry> {
  /** The watch was interrupted. The next entries are the current ones again, until `current`. */
  restarted(): void;
  /**
   * Whether this process wrote the entry of this key at this revision and so knows it. If it does, the
   * entry counts as delivered and is not decoded. Without this method every entry is decoded.
   */
  isKnown?(key: string, revision: number, writtenAt: number): boolean;
  entry(entry: Entry): void;
  /** Every entry that was there when the watch began, or began again, has been delivered. */
  current(): void;
}

export interface BucketState {
  /** Changes when the bucket is made again: then revisions begin at 1 again. */
  readonly id: string;
  /** The revision of the last write, even if the bucket no longer has that entry. */
  readonly lastRevision: number;
  /** What all its entries take, earlier ones included. */
  readonly bytes: number;
  /** The most that they may take; `null`: no limit. */
  readonly maxBytes: number | null;
}

/** A read ends at the limit that it reaches first, but not before its first entry. */
export interface ReadLimit {
  readonly entries: number;
  /** The bytes of all records together. */
  readonly bytes: number;
}

/** A task and its encoded record. Encoding costs more than the rest of a write: it happens once. */
export interface PreparedTask {
  readonly task: Task;
  /** The record as the store keeps it and as replies contain it. */
  readonly record: EncodedRecord;
}

/** Stores reject with `CoordinatorError` `unavailable` if they cannot be reached or do not serve. */
export interface TaskStore {
  /** The leader's last entry of the task; `null` if there is none. */
  load(taskId: string): Promise<TaskEntry | null>;
  /** The leader's highest revision that the bucket still has. The watch delivers up to it without delay. */
  lastRevision(): Promise<number>;
  state(): Promise<BucketState>;
  /** Encodes the task, to `write` it or to know the size of its record. */
  prepare(task: Task): PreparedTask;
  /**
   * Writes the task if its last revision is the expected one; 0 stands for "no entry". The entry names
   * the `writeId`, so that a write whose outcome is in doubt can be found.
   */
  write(prepared: PreparedTask, expectedRevision: number, writeId?: string): Promise<WriteOutcome>;
  /** A new id that no other process uses. */
  newWriteId(): string;
  /** Removes all entries of the task before its `lastRevision`. After that a purge is cheap. */
  dropHistory(taskId: string, lastRevision: number): Promise<void>;
  /** Removes the task with its history. A marker stays and removes itself after a while. */
  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome>;
  /** The leader's first entry of the task at this revision or after it; `null` if there is none. */
  loadFrom(taskId: string, revision: number): Promise<TaskEntry | null>;
  /**
   * The entries after a revision that the bucket still has, in order: of all tasks or of one. The last ones are
   * missing if the node that answers lags behind.
   */
  entriesAfter(revision: number, limit: ReadLimit, taskId?: string): Promise<TaskEntry[]>;
  watch(watch: Watch<WatchedTask>): Promise<Stoppable>;
}

/** Its name is that of the claim: `attempt`, and as `epoch` the `leaseEpoch` of the task's record. */
export interface Lease extends LeaseName {
  readonly sessionId: string;
  /** Of the claim. It tells claims with one name apart if a task was removed and created again. */
  readonly fencingToken: number;
  readonly ttlSeconds: number;
  /** The session has acknowledged its claim: it has renewed the lease, or got the claim twice. */
  readonly confirmed: boolean;
  /** The last progress that the session reported, as JSON; `null` if it reported none. */
  readonly progress: unknown;
  /** The lease ends when this connection is lost; `null`: only when its time is over. */
  readonly connection: ConnectionId | null;
}

/** A client's NATS connection: the server that it is connected to, and its number there. */
export interface ConnectionId {
  readonly serverId: string;
  readonly clientId: number;
}

/** How a lease ended: it expired, a worker ended it because its connection was lost, or it was removed. */
export type EndOfLease = "expired" | "disconnected" | "removed";

/** The marker that a lease leaves when it ends, for any cause. */
export interface EndedEntry {
  readonly kind: "ended";
  readonly name: LeaseName;
  readonly revision: number;
  readonly how: EndOfLease;
  /** When it ended by the server's clock, epoch milliseconds. */
  readonly writtenAt: number;
}

/** The last thing that happened to a lease. */
export type LeaseEntry =
  | {
      readonly kind: "live";
      readonly revision: number;
      readonly lease: Lease;
      /** When it was granted or last renewed, epoch milliseconds. */
      readonly writtenAt: number;
    }
  | EndedEntry
  /** The key is not that of a lease. */
  | { readonly kind: "other"; readonly revision: number };

export interface LeaseStore {
  load(name: LeaseName): Promise<Exclude<LeaseEntry, { kind: "other" }> | null>;
  /** Writes the lease with its TTL if the last revision of its key is the expected one; 0: no entry, nor a marker. */
  write(lease: Lease, expectedRevision: number): Promise<WriteOutcome>;
  /** Removes the lease. A marker stays that says how it ended, and removes itself after a while. */
  end(
    name: LeaseName,
    expectedRevision: number,
    how: Exclude<EndOfLease, "expired">,
  ): Promise<WriteOutcome>;
  watch(watch: Watch<LeaseEntry>): Promise<Stoppable>;
}

export interface Session {
  readonly sessionId: string;
  readonly capabilities: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly ttlSeconds: number;
  readonly registeredAt: number;
  /** The process that registered the session last; `null` if none named itself. */
  readonly instance: string | null;
  /** A bounded number of the instances before that one, the latest last. */
  readonly replacedInstances: readonly string[];
}

export type SessionEntry =
  | {
      readonly kind: "live";
      readonly revision: number;
      readonly session: Session;
      /** When it was registered or last renewed, epoch milliseconds. */
      readonly writtenAt: number;
    }
  | {
      readonly kind: "gone";
      readonly sessionId: string;
      readonly revision: number;
      /** The session was unregistered. Otherwise it has expired. */
      readonly isUnregistered?: true;
    };

export interface SessionStore {
  /** The leader's last revision over all sessions. The watch then delivers up to it without delay. */
  lastRevision(): Promise<number>;
  load(sessionId: string): Promise<SessionEntry | null>;
  /** Writes the session and starts its TTL again. */
  write(session: Session, expectedRevision: number): Promise<WriteOutcome>;
  purge(sessionId: string, expectedRevision: number): Promise<WriteOutcome>;
  watch(watch: Watch<SessionEntry>): Promise<Stoppable>;
}

/** What the bucket `principals` says about a principal such as `agent.s1`. */
export interface PrincipalEntry {
  readonly principal: string;
  readonly revision: number;
  /** `null`: nothing any more. A text: what is wrong with the value. */
  readonly rules: ReadRules | string | null;
}

export interface PrincipalStore {
  watch(watch: Watch<PrincipalEntry>): Promise<Stoppable>;
}

export interface Stores {
  readonly tasks: TaskStore;
  readonly leases: LeaseStore;
  readonly sessions: SessionStore;
  readonly principals: PrincipalStore;
}

export interface Stoppable {
  stop(): Promise<void>;
}

/** A change of a task, for one agent whose task it is or was before the change. */
export interface AgentUpdate {
  readonly agent: string;
  readonly taskId: string;
  readonly revision: number;
  /** The JSON of the record, as the agent may see it. */
  readonly record: Uint8Array;
}

/** Time and chance, passed in. */
export interface Clock {
  /** Epoch milliseconds. It jumps when somebody sets the clock, so it is only for times that others see. */
  now(): number;
  /** Milliseconds since some moment. It never jumps, so it is for times that do not leave this process. */
  steady(): number;
  /** At least 0 and less than 1. */
  random(): number;
}
