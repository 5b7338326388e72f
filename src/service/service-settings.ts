/** The settings of the service. `config/schema.ts` has their defaults and what they mean. */
import type { Visibility } from "../protocol/visibility.ts";

export interface ServiceSettings {
  readonly workerId: string;
  readonly version: string;
  readonly defaultTtlSeconds: number;
  readonly sessionTtlSeconds: number;
  readonly maxRecordBytes: number;
  /** The most that NATS carries in one message. It can differ after a reconnect: read it each time. */
  readonly maxReplyBytes: number;
  /** The most bytes of all registrations, and of those whose ids begin with the same name. */
  readonly maxSessionBytes: number;
  readonly maxSessionBytesPerPrincipal: number;
  /** What the bucket of the tasks may take, with earlier records; 0: no limit. */
  readonly bucketBytes: number;
  readonly retentionSeconds: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** Default of tasks that are created without `max_failures`. */
  readonly maxFailures: number;
  /** Default of tasks that are created without `max_lost_leases`. */
  readonly maxLostLeases: number;
  readonly maxInFlight: number;
  readonly maxInFlightPerPrincipal: number;
  /** The most requests of one sender that wait for their turn. */
  readonly maxQueuedPerPrincipal: number;
  /** The most parked requests: in all, of a sender, and of a session. */
  readonly maxWaiting: number;
  readonly maxWaitingPerPrincipal: number;
  readonly maxWaitingPerSession: number;
  /** The most different filters of the parked requests of a sender. */
  readonly maxFiltersPerPrincipal: number;
  /** Bytes of the capabilities, tags and prefix of a `next` request. */
  readonly maxFilterBytes: number;
  /** The most claims that a session holds, and an agent with all of its sessions. */
  readonly maxClaimsPerSession: number;
  readonly maxClaimsPerPrincipal: number;
  /** The longest lease that a request gets. */
  readonly maxLeaseSeconds: number;
  /** Requests per second of one sender; 0: no limit. */
  readonly requestsPerSecond: number;
  /** Bytes of the requests of one sender per second; 0: no limit. */
  readonly requestBytesPerSecond: number;
  /** How much there may be: of all, and of each creator. */
  readonly owned: {
    readonly tasks: number;
    /** Of the current records. */
    readonly bytes: number;
    readonly tasksPerPrincipal: number;
    readonly bytesPerPrincipal: number;
  };
  /** Whether a client without a principal is refused; otherwise it is trusted. */
  readonly principalsOnly: boolean;
  /** What agents see of the tasks of others. */
  readonly visibility: Visibility;
  /** A claim that has had no lease for this time gets one from any worker. */
  readonly leaseGraceMs: number;
  /** For this time after an outage, a lease that ended in it does not cost the claim; 0: off. */
  readonly outageGraceMs: number;
  /** A session that lost its connection loses its claims unless it names another one within this time. */
  readonly disconnectGraceMs: number;
}
