/** Makes the parts of the service and gives each the others that it needs. */
import { tellAgents } from "./agent-updates.ts";
import { ClaimLimits } from "./claim-limits.ts";
import { Claims } from "./claims.ts";
import { DependencyWarnings } from "./dependency-warnings.ts";
import type { EarlierRecords } from "./earlier-records.ts";
import { FollowUps } from "./follow-ups.ts";
import { type Handlers, handlersOf } from "./handlers.ts";
import { Heartbeats } from "./heartbeats.ts";
import { Importer } from "./importer.ts";
import { LeaseWrites } from "./lease-writes.ts";
import { Leases } from "./leases.ts";
import { NextClaims } from "./next-claims.ts";
import { ParkedRequests } from "./parked-requests.ts";
import { PastRecords } from "./past-records.ts";
import type { AgentUpdate, ServiceContext, Stores } from "./ports.ts";
import { PrincipalRules } from "./principal-rules.ts";
import { Queries } from "./queries.ts";
import { Reads } from "./reads.ts";
import { ReadyClaims } from "./ready-claims.ts";
import { ReleaseNext } from "./release-next.ts";
import { Replacements } from "./replacements.ts";
import { Retention } from "./retention.ts";
import { SessionIndex } from "./session-index.ts";
import { Sessions } from "./sessions.ts";
import { TaskEdits } from "./task-edits.ts";
import { TaskIndex } from "./task-index.ts";
import { TaskList } from "./task-list.ts";
import { TaskWriter } from "./task-writer.ts";

export interface ServiceParts {
  readonly rules: PrincipalRules;
  readonly tasks: TaskIndex;
  readonly sessionIndex: SessionIndex;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly parked: ParkedRequests;
  readonly followUps: FollowUps;
  readonly retention: Retention;
  readonly earlier: EarlierRecords;
  readonly handlers: Handlers;
}

/**
 * The parts that listen to an index are called in the order in which they are made here.
 *
 * @param tellAgent sends an agent a change of its own task
 * @param areDisconnectsReported whether claims end with their session's connection
 */
export function wire(
  stores: Stores,
  context: ServiceContext,
  tellAgent: (update: AgentUpdate) => void,
  areDisconnectsReported: () => boolean,
): ServiceParts {
  const rules = new PrincipalRules(context.observe);
  const tasks = new TaskIndex(() => context.clock.now());
  const writer = new TaskWriter(stores.tasks, tasks, context, rules);
  const { visibility } = context.settings;
  if (visibility !== "all") writer.onWritten(tellAgents(visibility, tellAgent));
  const access = { store: stores.tasks, index: tasks, writer };
  const leases = new Leases(tasks, context);
  const writes = new LeaseWrites(stores.leases, leases, writer, context);
  const sessionIndex = new SessionIndex(tasks);
  const sessions = new Sessions(stores.sessions, sessionIndex, tasks, context);

  const claimLimits = new ClaimLimits(stores.tasks, tasks, rules, context);
  const claims = new Claims(writer, { leases, writes }, sessions, context);
  const ready = new ReadyClaims(claims, claimLimits, tasks, context);
  const parked = new ParkedRequests({ ready, claimLimits, rules }, tasks, context);
  const next = new NextClaims({ claims, claimLimits, ready, parked, sessions }, access, context);
  const releases = new ReleaseNext(claims, next, access, context);

  const warnings = new DependencyWarnings(tasks);
  const edits = new TaskEdits(access, { warnings, rules }, context);
  const importer = new Importer(access, warnings, context);

  const heartbeats = new Heartbeats(sessions, claims, access);
  const replacements = new Replacements(sessions, claims, access, context);
  sessionIndex.onChange((change) => {
    parked.sessionChanged(change);
  });

  const counted = { leases, sessions: sessionIndex, parked, areDisconnectsReported };
  const queries = new Queries(access, counted, context);
  const list = new TaskList(access, context);
  const past = new PastRecords(stores.tasks, context);

  const retention = new Retention(access, context);
  const followed = { leases, writes, sessions: sessionIndex, replacements, retention };
  const followUps = new FollowUps(access, followed, context);

  const { settings } = context;
  const useCases = {
    ...{ claimLimits, claims, next, releases, edits, importer },
    ...{ heartbeats, replacements, sessions },
    ...{ queries, list, past, reads: new Reads(settings) },
  };
  const handlers = handlersOf(useCases, settings.visibility);
  return {
    ...{ rules, tasks, sessionIndex, sessions, leases, parked },
    ...{ followUps, retention, earlier: writer.earlier, handlers },
  };
}
