/** The audit of one worker: the sink of its facts, and the stream in which the entries are stored. */
import type { Config } from "../config.ts";
import { type AuditConnection, AuditStream } from "../nats/audit-stream.ts";
import type { Clock, Observe, Stoppable } from "../service/ports.ts";
import { AuditTrail } from "../telemetry/audit-trail.ts";

export interface Audit extends Stoppable {
  readonly note: Observe;
}

export interface AuditContext {
  readonly workerId: string;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** In open mode nobody vouches for names, so there is an audit only if it is asked for. */
export function isAudited({ audit, auth }: Config): boolean {
  return audit.enabled ?? auth.mode === "accounts";
}

/**
 * Begins at once and makes the stream meanwhile, so that a worker serves even if the stream cannot be made.
 *
 * @returns `null` if there is no audit
 */
export function startAudit(
  config: Config,
  access: Omit<AuditConnection, "jsDomain">,
  { workerId, clock, observe }: AuditContext,
): Audit | null {
  if (!isAudited(config)) return null;
  const { jsDomain } = config.nats;
  const options = { ...config.audit, replicas: config.replicas };
  const stream = new AuditStream({ ...access, jsDomain }, workerId, options, {
    problem: (problem) => {
      observe({ kind: "audit_problem", problem });
    },
    made: (name) => {
      observe({ kind: "stream_made", stream: name });
    },
    warn: (message) => {
      observe({ kind: "warning", message });
    },
  });
  const trail = new AuditTrail(stream, {
    countsUnnamed: config.auth.mode === "open",
    now: () => clock.now(),
    observe,
  });
  void stream.open();
  return {
    note: (fact) => {
      trail.note(fact);
    },
    stop: async () => {
      await trail.stop();
      stream.stop();
    },
  };
}
