/** The table of handlers: which use case answers which operation. */
import type { Operation } from "../protocol/operations.ts";
import type { Visibility } from "../protocol/visibility.ts";
import type { ClaimLimits } from "./claim-limits.ts";
import type { Claims } from "./claims.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { Importer } from "./importer.ts";
import type { NextClaims } from "./next-claims.ts";
import { authorOf, textOf } from "./permission.ts";
import type { PastRecords } from "./past-records.ts";
import type { AnswerTo, Call } from "./ports.ts";
import type { Queries } from "./queries.ts";
import type { Reads } from "./reads.ts";
import type { ReleaseNext } from "./release-next.ts";
import type { Replacements } from "./replacements.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskEdits } from "./task-edits.ts";
import type { TaskList } from "./task-list.ts";
import { viewerOf } from "./viewer.ts";

export interface UseCases {
  readonly claimLimits: ClaimLimits;
  readonly claims: Claims;
  readonly edits: TaskEdits;
  readonly heartbeats: Heartbeats;
  readonly importer: Importer;
  readonly list: TaskList;
  readonly next: NextClaims;
  readonly past: PastRecords;
  readonly queries: Queries;
  readonly reads: Reads;
  readonly releases: ReleaseNext;
  readonly replacements: Replacements;
  readonly sessions: Sessions;
}

export type Handlers = {
  readonly [O in Operation]: (call: Call<O>) => Promise<AnswerTo<O>>;
};

export function handlersOf(useCases: UseCases, visibility: Visibility): Handlers {
  const { claimLimits, claims, edits, heartbeats, importer, list, next, past } = useCases;
  const { queries, reads, releases, replacements, sessions } = useCases;
  return {
    "tasks.create": (call) => edits.create(call),
    "tasks.import": (call) => importer.run(call.body, authorOf(call)),
    "tasks.claim": async (call) => {
      const { id, body, sender } = call;
      const ttlSeconds = claimLimits.leaseSeconds(body.ttl_seconds, sender);
      const claimant = { sessionId: body.session_id, sender };
      // Mostly there is room, and nothing has to be waited for.
      if (claimLimits.room(claimant) === 0) await claimLimits.requireRoom(claimant, id);
      return claims.claim(id, body, { ttlSeconds, principal: textOf(call.principal) });
    },
    "tasks.next": ({ body, place, sender, client, isListening, principal }) =>
      next.next(body, { place, sender, client, isListening, principal: textOf(principal) }),
    "tasks.renew": async (call) => {
      if (call.body.ttl_seconds !== undefined) {
        claimLimits.leaseSeconds(call.body.ttl_seconds, call.sender);
      }
      return claims.renew(call.id, call.body, textOf(call.principal));
    },
    "tasks.release": (call) => releases.release(call),
    "tasks.get": ({ id, sender }) => reads.one(sender, () => queries.get(id)),
    "tasks.list": ({ body, sender, principal }) =>
      reads.page(sender, () => list.list(body, viewerOf(visibility, principal))),
    "tasks.history": ({ id, body, sender }) => reads.page(sender, () => past.history(id, body)),
    "tasks.changes": ({ body, sender }) => reads.page(sender, () => past.changes(body)),
    "tasks.verify": ({ id, body }) => claims.verify(id, body),
    "tasks.update": (call) => edits.update(call),
    "tasks.cancel": (call) => edits.cancel(call.id, call.body, call.principal),
    "tasks.requeue": (call) => edits.requeue(call.id, call.body, textOf(call.principal)),
    "tasks.stats": () => queries.stats(),
    "sessions.register": ({ id, body }) => replacements.register(id, body),
    "sessions.heartbeat": ({ id, body, sender, principal }) =>
      heartbeats.heartbeat(id, body, { sender, principal: textOf(principal) }),
    "sessions.list": ({ body, sender, principal }) =>
      reads.page(sender, () => sessions.list(body, viewerOf(visibility, principal))),
    "sessions.unregister": ({ id, body, sender, principal }) =>
      heartbeats.unregister(id, body, { sender, principal: textOf(principal) }),
  };
}
