/** The contents of each bucket on each node. Replicas that differ for good are a split brain. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";

const AGREED_MS = 20_000;
const POLL_MS = 250;

const stream = z.object({
  name: z.string(),
  state: z.object({ messages: z.number(), first_seq: z.number(), last_seq: z.number() }),
});
const account = z.object({ stream_detail: z.array(stream).default([]) });
const jsz = z.object({ account_details: z.array(account).default([]) });

/** The streams that the nodes still have in different states after they had time to catch up. */
export async function differing(monitors: readonly string[]): Promise<readonly string[]> {
  const deadline = performance.now() + AGREED_MS;
  for (;;) {
    const differences = differencesIn(await Promise.all(monitors.map(statesAt)));
    if (differences.length === 0 || performance.now() > deadline) return differences;
    await delay(POLL_MS);
  }
}

type States = ReadonlyMap<string, string>;

async function statesAt(monitor: string): Promise<States> {
  const reply = await fetch(`${monitor}/jsz?accounts=true&streams=true`);
  const { account_details: accounts } = jsz.parse(await reply.json());
  const streams = accounts.flatMap(({ stream_detail }) => stream_detail);
  return new Map(
    streams.map(({ name, state: { messages, first_seq, last_seq } }) => [
      name,
      `${messages} messages, ${first_seq} to ${last_seq}`,
    ]),
  );
}

function differencesIn(nodes: readonly States[]): string[] {
  const names = new Set(nodes.flatMap((states) => [...states.keys()]));
  return [...names].flatMap((name) => {
    const states = nodes.map((one) => one.get(name) ?? "not there");
    return new Set(states).size === 1 ? [] : [`${name}: ${states.join(" | ")}`];
  });
}
