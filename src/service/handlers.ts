/** The table of handlers: which use case answers which operation. */
import type { Operation } from "../protocol/operations.ts";
import type { Claims } from "./claims.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { Importer } from "./importer.ts";
import type { NextClaims } from "./next-claims.ts";
import type { PastRecords } from "./past-records.ts";
import type { AnswerTo, Call } from "./ports.ts";
import type { Queries } from "./queries.ts";
import type { ReleaseNext } from "./release-next.ts";
import type { Replacements } from "./replacements.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskEdits } from "./task-edits.ts";

export interface UseCases {
  readonly claims: Claims;
  readonly edits: TaskEdits;
  readonly heartbeats: Heartbeats;
  readonly importer: Importer;
  readonly next: NextClaims;
  readonly past: PastRecords;
  readonly queries: Queries;
  readonly releases: ReleaseNext;
  readonly replacements: Replacements;
  readonly sessions: Sessions;
}

export type Handlers = {
  readonly [O in Operation]: (call: Call<O>) => Promise<AnswerTo<O>>;
};

export function handlersOf(useCases: UseCases): Handlers {
  const { claims, edits, heartbeats, importer, next, past } = useCases;
  const { queries, releases, replacements, sessions } = useCases;
  return {
    "tasks.create": ({ id, body }) => edits.create(id, body),
    "tasks.import": ({ body }) => importer.run(body),
    "tasks.claim": ({ id, body }) => claims.claim(id, body),
    "tasks.next": ({ body, isListening }) => next.next(body, { isListening }),
    "tasks.renew": ({ id, body }) => claims.renew(id, body),
    "tasks.release": (call) => releases.release(call),
    "tasks.get": ({ id }) => queries.get(id),
    "tasks.list": ({ body }) => queries.list(body),
    "tasks.history": ({ id, body }) => past.history(id, body),
    "tasks.changes": ({ body }) => past.changes(body),
    "tasks.verify": ({ id, body }) => claims.verify(id, body),
    "tasks.update": ({ id, body }) => edits.update(id, body),
    "tasks.cancel": ({ id, body, principal }) =>
      edits.cancel(id, body, principal?.role === "agent"),
    "tasks.requeue": ({ id, body }) => edits.requeue(id, body),
    "tasks.stats": () => queries.stats(),
    "sessions.register": ({ id, body }) => replacements.register(id, body),
    "sessions.heartbeat": ({ id, body }) => heartbeats.heartbeat(id, body),
    "sessions.list": ({ body }) => sessions.list(body),
    "sessions.unregister": ({ id, body }) => heartbeats.unregister(id, body),
  };
}
