/** What is seen by HTTP: the monitoring port of a NATS server, and the endpoint of the workers. */
import { jetStreamMonitor, readiness, readReply } from "../../protocol/nats-replies.ts";
import type { DiskFacts, HealthFacts } from "./verdicts/outside.ts";

/** The default monitoring port of a NATS server. */
const MONITOR_PORT = 8222;
const HTTP_MS = 2_000;

/**
 * Asks the given addresses. Without any, it tries the default monitoring port at the address of each server,
 * and uses only answers of servers of this cluster.
 *
 * @param servers `host:port` of the servers by their ids
 */
export async function inspectDisks(
  urls: readonly string[],
  servers: ReadonlyMap<string, string>,
): Promise<DiskFacts[]> {
  const guesses = [...servers.values()].map(
    (address) => `http://${hostOf(address)}:${MONITOR_PORT}`,
  );
  const asked = urls.length > 0 ? urls : guesses;
  const answers = await Promise.all([...new Set(asked)].map((url) => diskAt(url)));
  return answers.flatMap((answer) => {
    if (answer === null || (urls.length === 0 && !servers.has(answer.serverId))) return [];
    return [{ ...answer, server: servers.get(answer.serverId) ?? answer.server }];
  });
}

async function diskAt(url: string): Promise<(DiskFacts & { readonly serverId: string }) | null> {
  const answer = readReply(jetStreamMonitor, await get(url, "/jsz"));
  if (answer?.config === undefined) return null;
  const {
    sync_interval: interval,
    sync_always: syncsAlways,
    max_storage: reserved,
  } = answer.config;
  return {
    ...{ server: url, serverId: answer.server_id, syncsAlways, syncIntervalMs: interval / 1e6 },
    ...{ usedBytes: answer.storage, reservedBytes: reserved },
  };
}

/** @param known the workers of this coordinator; none if they are not known */
export async function inspectHealth(url: string, known: readonly string[]): Promise<HealthFacts> {
  const answer = readReply(readiness, await get(url, "/readyz"));
  const isOther =
    known.length > 0 &&
    answer?.workers.some(({ id }) => id !== null && known.includes(id)) === false;
  // A worker of another coordinator says nothing about this one.
  if (answer === null || isOther) return { url, answer: null };
  const { problems, warnings, ready, workers } = answer;
  return { url, answer: { problems, warnings, isReady: ready, workers: workers.length } };
}

/** The text of the page; `""` if nobody answers. */
async function get(url: string, path: string): Promise<string> {
  try {
    const page = new URL(path, url);
    const response = await fetch(page, { signal: AbortSignal.timeout(HTTP_MS) });
    return await response.text();
  } catch {
    return "";
  }
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}
