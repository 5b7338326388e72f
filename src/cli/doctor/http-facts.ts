/** What is seen by HTTP: the monitoring port of a NATS server, and the endpoint of the workers. */
import { jetStreamMonitor, readiness, readReply } from "../../protocol/nats-replies.ts";
import type { DiskFacts, DisksFacts, HealthFacts } from "./verdicts/outside.ts";

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
): Promise<DisksFacts> {
  const isNamed = urls.length > 0;
  const asked = isNamed
    ? new Map(urls.map((url) => [url, url]))
    : new Map([...servers.values()].map((address) => [monitorOf(address), address]));
  const disks: DiskFacts[] = [];
  const unknown: string[] = [];
  await Promise.all(
    [...asked].map(async ([url, name]) => {
      const answer = await diskAt(url);
      const server = answer === null ? undefined : servers.get(answer.serverId);
      if (answer === null || (server === undefined && !isNamed)) unknown.push(name);
      else disks.push({ ...answer, server: server ?? url });
    }),
  );
  return { disks, unknown };
}

function monitorOf(address: string): string {
  return `http://${address.replace(/:\d+$/, "")}:${MONITOR_PORT}`;
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

/**
 * A worker of another coordinator says nothing about this one.
 *
 * @param known the workers of this coordinator that answer; none if none does, and then a worker that is
 * ready belongs to another one
 */
export async function inspectHealth(url: string, known: readonly string[]): Promise<HealthFacts> {
  const answer = readReply(readiness, await get(url, "/readyz"));
  const isOther =
    known.length === 0
      ? answer?.ready === true
      : answer?.workers.some(({ id }) => id !== null && known.includes(id)) === false;
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
