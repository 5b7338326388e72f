/** Clients that come and go: subscribers, sessions, and parked requests that are left behind. */
import { setMaxListeners } from "node:events";
import type { LibraryClient } from "../lab/clients.ts";
import { happens, type Part, repeatedly, rest, vanish } from "./client.ts";

/** No task has this prefix: a request for it only waits. */
const NO_PREFIX = "nothing.";
/** Requests of a client that disappears stay parked for this time. */
export const PARKED_SECONDS = 10;
const REQUESTS = 10;

/** Listens for a while, from now on or from the beginning. Some subscribers are slow. */
export function subscribe(part: Part): Promise<void> {
  return repeatedly(part, async ({ coordinator }) => {
    for (let i = 0; i < 5 && !part.signal.aborted; i++) {
      const isSlow = happens(part, 0.2);
      const listener = (): Promise<void> | undefined => {
        part.meter.count("update");
        return isSlow ? rest(part, 0.05, 0.1) : undefined;
      };
      const since = happens(part, 0.5) ? "beginning" : "now";
      const id = await part.meter.attempt("subscribe", () =>
        coordinator.subscribeTaskUpdates(listener, { since }),
      );
      await rest(part, 2, 10);
      // A subscription that was not ended ends with the connection.
      if (id !== null && happens(part, 0.8)) coordinator.unsubscribe(id);
    }
  });
}

/** Registers, sends some heartbeats, and unregisters or disappears. */
export function attend(part: Part): Promise<void> {
  let visits = 0;
  const { meter } = part;
  return repeatedly(part, async ({ coordinator: { tasks } }) => {
    for (let i = 0; i < 20 && !part.signal.aborted; i++) {
      const id = `${part.id}.${++visits}`;
      const session = { ttl_seconds: 3, metadata: { visits } };
      await meter.attempt("register", () => tasks.register(id, session));
      for (let beats = Math.floor(part.random() * 4); beats > 0; beats--) {
        await rest(part, 0.5, 1);
        await meter.attempt("heartbeat", () => tasks.heartbeat(id));
      }
      if (happens(part, 0.7)) await meter.attempt("unregister", () => tasks.unregister(id));
    }
  });
}

/** Parks requests. Most of them are given up in some way before their time is over. */
export function park(part: Part): Promise<void> {
  return repeatedly(part, async (client) => {
    const givenUp = new AbortController();
    // Each request listens to the signal, which is no leak.
    setMaxListeners(0, givenUp.signal);
    const requests = Array.from({ length: REQUESTS }, (_, i) =>
      parkedRequest(part, client, i, givenUp),
    );
    await rest(part, 2, 1.2 * PARKED_SECONDS);
    // The coordinator answers a request that was given up, or one whose client is gone.
    if (happens(part, 0.5)) givenUp.abort();
    else await vanish(client);
    await Promise.all(requests);
  });
}

async function parkedRequest(
  { id, meter }: Part,
  { coordinator: { tasks } }: LibraryClient,
  i: number,
  { signal }: AbortController,
): Promise<void> {
  const input = { session_id: `${id}.${i}`, prefix: NO_PREFIX, wait_seconds: PARKED_SECONDS };
  try {
    await meter.attempt("parked next", () => tasks.next(input, { signal, deadlineMs: 0 }));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
