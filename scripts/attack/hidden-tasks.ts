/** Tasks of an honest agent that hold what the attacker must not see. */
import {
  BAIT,
  CONTENT,
  DEFINITION,
  KNOWN_IDS,
  KNOWN_SESSION,
  KNOWN_TAG,
  UNKNOWN_ID,
} from "./marks.ts";
import type { Scene } from "./row.ts";
import { HONEST } from "./set-up.ts";

const [OWNER] = HONEST;
const [CLAIMED = "", LARGE = "", COMPLETE = "", FAILED = "", CANCELLED = "", BLOCKED = ""] =
  KNOWN_IDS;
/** Workers do not keep a payload of this size in memory. */
const LARGE_BYTES = 4_000;
const LEASE_SECONDS = 600;

/** Creates them as their owner, before the attack. */
export async function createHiddenTasks(scene: Scene): Promise<void> {
  const owner = await scene.connect(OWNER);
  const definition = { title: DEFINITION, description: DEFINITION, tags: [KNOWN_TAG] };
  const content = { payload: CONTENT, metadata: { CONTENT }, max_failures: 1 };
  const holder = { session_id: KNOWN_SESSION };
  await owner.must(`sessions.register.${KNOWN_SESSION}`, { metadata: { CONTENT } });
  for (const id of [CLAIMED, LARGE, COMPLETE, FAILED, CANCELLED]) {
    const payload = id === LARGE ? CONTENT.padEnd(LARGE_BYTES, "x") : CONTENT;
    await owner.must(`tasks.create.${id}`, { ...definition, ...content, payload });
    const claim = { ...holder, ttl_seconds: LEASE_SECONDS };
    const { attempt } = await owner.must(`tasks.claim.${id}`, claim);
    await owner.must(`tasks.renew.${id}`, { ...claim, attempt, progress: { CONTENT } });
    const end = { ...holder, attempt };
    if (id === COMPLETE) {
      await owner.must(`tasks.release.${id}`, { ...end, status: "complete", result: CONTENT });
    }
    if (id === FAILED) {
      await owner.must(`tasks.release.${id}`, { ...end, status: "failed", error: CONTENT });
    }
    if (id === CANCELLED) await owner.must(`tasks.cancel.${id}`, { ...holder, reason: DEFINITION });
  }
  for (const [id, needs] of [
    [UNKNOWN_ID, BAIT],
    [BLOCKED, UNKNOWN_ID],
  ] as const) {
    await owner.must(`tasks.create.${id}`, { ...definition, ...content, depends_on: [needs] });
  }
}

/** Changes one of them again and again, so that there are updates to overhear. */
export async function changeHiddenTasks(scene: Scene): Promise<void> {
  const owner = await scene.connect(OWNER);
  const until = performance.now() + scene.ms;
  for (let i = 0; performance.now() < until; i++) {
    await owner.ask(`tasks.update.${BLOCKED}`, { payload: `${CONTENT} ${i}`, title: DEFINITION });
  }
}

/** Whether an operator sees the marks. Otherwise nobody could find them. */
export async function areThere({ operator }: Scene): Promise<boolean> {
  const seen = await Promise.all(
    KNOWN_IDS.map(async (id) => JSON.stringify(await operator.must(`tasks.get.${id}`))),
  );
  return seen.every((text) => text.includes(CONTENT) && text.includes(DEFINITION));
}
