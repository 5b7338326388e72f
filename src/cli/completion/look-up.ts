/** Ids and names that completion offers: those of this machine, and of the coordinator if it answers at once. */
import { setTimeout as delay } from "node:timers/promises";
import type { Calls } from "../../client/calls.ts";
import { contextNames, sessionFromEnvironment } from "../../config/client-settings.ts";
import type { RequestInput } from "../../protocol/operations.ts";
import { withCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { printable, shortened } from "../shared/terminal-text.ts";
import type { Candidate, LookUp } from "./complete.ts";

/** More is of no use on a screen. */
const MAX_CANDIDATES = 100;
/** The user waits, so nothing is better than late. Includes the time to connect. */
const PATIENCE_MS = 1_000;
const MAX_DESCRIPTION = 60;

type Filter = RequestInput<"tasks.list">;

/** Which tasks a command can be about. Other commands can be about any. */
const FILTERS: Readonly<Record<string, (session?: string) => Filter>> = {
  "task claim": () => ({ status: ["available"] }),
  "task renew": heldBy,
  "task release": heldBy,
  "task complete": heldBy,
  "task fail": heldBy,
  "task cancel": () => ({ status: ["blocked", "available", "claimed"] }),
  "task update": () => ({ status: ["blocked", "available", "claimed"] }),
};

export const lookUp: LookUp = async (kind, prefix, { path, values }) => {
  if (kind === "context") return contextNames().map((value) => ({ value, description: "" }));
  const found: Candidate[] = [];
  const options = values as ConnectionOptions & { readonly session?: string };
  const search = async ({ calls }: { readonly calls: Calls }): Promise<void> => {
    if (kind === "session") found.push(...(await sessions(calls, prefix)));
    else found.push(...(await tasks(calls, prefix, FILTERS[path]?.(options.session) ?? {})));
  };
  const asked = withCalls({ ...options, timeout: 0 }, search);
  // Without a coordinator there are no candidates. Completion has nowhere to say why.
  await Promise.race([asked.catch(() => undefined), delay(PATIENCE_MS)]);
  return found;
};

async function tasks(calls: Calls, prefix: string, filter: Filter): Promise<readonly Candidate[]> {
  const body = { prefix, limit: MAX_CANDIDATES, ...filter };
  const page = await calls.call("tasks.list", undefined, () => body);
  return page.tasks.map(({ task_id, title }) => ({
    value: task_id,
    description: shortened(printable(title), MAX_DESCRIPTION),
  }));
}

async function sessions(calls: Calls, prefix: string): Promise<readonly Candidate[]> {
  const body = { prefix, limit: MAX_CANDIDATES };
  const page = await calls.call("sessions.list", undefined, () => body);
  return page.sessions.map(({ session_id, claims }) => ({
    value: session_id,
    description: `holds ${claims === 1 ? "1 task" : `${claims} tasks`}`,
  }));
}

function heldBy(session = sessionFromEnvironment()): Filter {
  return session === undefined ? { status: ["claimed"] } : { claimed_by: session };
}
