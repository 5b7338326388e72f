/** What a worker says about itself in the statistics of the NATS service protocol. */
import type { Config } from "../config.ts";
import { isAudited } from "./audit.ts";
import type { Clock } from "../service/ports.ts";

export interface Announcement {
  /** The worker's clock, in ISO-8601. */
  readonly time: string;
  /** The number of parked requests. */
  readonly waiting: number;
  /** The settings that should be the same for all workers, under their names in the configuration. */
  readonly settings: Readonly<Record<string, number | string>>;
}

export function announcementOf(config: Config, clock: Clock, waiting: number): Announcement {
  return {
    time: new Date(clock.now()).toISOString(),
    waiting,
    settings: {
      task_claim_ttl_seconds: config.taskClaimTtlSeconds,
      session_ttl_seconds: config.sessionTtlSeconds,
      max_failures: config.maxFailures,
      max_lost_leases: config.maxLostLeases,
      "retry.base_ms": config.retry.baseMs,
      "retry.max_ms": config.retry.maxMs,
      lease_grace_ms: config.leaseGraceMs,
      outage_grace_seconds: config.outageGraceSeconds,
      disconnect_grace_ms: config.disconnectGraceMs,
      retention_seconds: config.retentionSeconds,
      max_record_bytes: config.maxRecordBytes,
      replicas: config.replicas,
      history: config.history,
      "auth.visibility": config.auth.visibility,
      "audit.enabled": isAudited(config) ? 1 : 0,
      "limits.in_flight": config.limits.inFlight,
      "limits.in_flight_per_principal": config.limits.inFlightPerPrincipal,
      "limits.queued_per_principal": config.limits.queuedPerPrincipal,
      "limits.waiting": config.limits.waiting,
      "limits.waiting_per_principal": config.limits.waitingPerPrincipal,
      "limits.waiting_per_session": config.limits.waitingPerSession,
      "limits.filters_per_principal": config.limits.filtersPerPrincipal,
      "limits.filter_bytes": config.limits.filterBytes,
      "limits.claims_per_principal": config.limits.claimsPerPrincipal,
      "limits.claims_per_session": config.limits.claimsPerSession,
      "limits.lease_seconds": config.limits.leaseSeconds,
      "limits.requests_per_second": config.limits.requestsPerSecond,
      "limits.request_bytes_per_second": config.limits.requestBytesPerSecond,
      "limits.tasks": config.limits.tasks,
      "limits.bytes": config.limits.bytes,
      "limits.tasks_per_principal": config.limits.tasksPerPrincipal,
      "limits.bytes_per_principal": config.limits.bytesPerPrincipal,
      "limits.session_bytes": config.limits.sessionBytes,
      "limits.session_bytes_per_principal": config.limits.sessionBytesPerPrincipal,
      "limits.bucket_bytes": config.limits.bucketBytes,
    },
  };
}
