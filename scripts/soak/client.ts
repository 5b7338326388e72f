/** What every part of the load has: a connection, a random generator and the meter. */
import { pause } from "../../src/client/waiting.ts";
import type { Random } from "../../src/simulation/random.ts";
import { LibraryClient } from "../lab/clients.ts";
import type { Meter } from "./meter.ts";

const RECONNECT_SECONDS = 0.5;

export interface Part {
  /** Unique in the run. */
  readonly id: string;
  readonly urls: readonly string[];
  readonly random: Random;
  readonly meter: Meter;
  /** Aborted when the load ends. */
  readonly signal: AbortSignal;
}

/** Until the load ends: makes the visit, each time with a new connection. */
export async function repeatedly(
  part: Part,
  visit: (client: LibraryClient) => Promise<void>,
): Promise<void> {
  const { urls, id, meter, signal } = part;
  while (!signal.aborted) {
    {
      await using client = await LibraryClient.tryOpen(urls, id, RECONNECT_SECONDS);
      meter.count(client === null ? "failed connect" : "connect");
      if (client !== null) {
        try {
          await visit(client);
        } finally {
          await client.coordinator.stop({ deadlineMs: 0 });
        }
      }
    }
    await rest(part, 0.2, 1);
  }
}

/** Ends the connection as the death of a process would: nothing is given back. */
export async function vanish(client: LibraryClient): Promise<void> {
  await client[Symbol.asyncDispose]();
}

/** Waits for a random time between the two, in seconds, or until the load ends. */
export async function rest({ random, signal }: Part, from: number, to: number): Promise<void> {
  await pause((from + random() * (to - from)) * 1000, signal).catch(() => undefined);
}

/** Whether it happens, with this probability. */
export function happens({ random }: Part, probability: number): boolean {
  return random() < probability;
}
