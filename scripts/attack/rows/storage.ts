/** Attacks that fill the board. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { AttackReport } from "../attack.ts";
import type { Row, Scene } from "../row.ts";
import type { Finding } from "../verdict.ts";

const MIB = 1024 * 1024;
/** Low, so that the attacker reaches it within seconds. */
const OWNED_BYTES = 16 * MIB;
/** A task of 60 KiB, with what its record has in addition to the payload. */
const TASK_BYTES = 61 * 1024;
const LARGE = { payload: { text: "x".repeat(60 * 1024) } };
const RESTART_MS = 10_000;
const RESTART_MIB = 512;

async function afterRestart(
  { target }: Scene,
  { answers }: AttackReport,
): Promise<readonly Finding[]> {
  const created = answers.ok ?? 0;
  const refused = answers.limit_reached ?? 0;
  await target.killWorker();
  const ms = Math.round(await target.startWorker());
  const mib = Math.round(target.workerMiB);
  return [
    {
      promise: `one principal owns at most ${OWNED_BYTES / MIB} MiB (limits.bytes_per_principal)`,
      holds: created * TASK_BYTES <= 1.1 * OWNED_BYTES && refused > 0,
      seen: `${created} creates of 60 KiB, ${refused} refused with limit_reached`,
    },
    {
      promise: `a killed worker is ready again within ${RESTART_MS / 1000} s, in ${RESTART_MIB} MiB`,
      holds: ms < RESTART_MS && mib < RESTART_MIB,
      seen: `${ms} ms, ${mib} MiB`,
    },
  ];
}

/** Low, so that eight tasks with their history would be larger. */
const BUCKET_BYTES = 4 * MIB;
/** What creates leave for the ends of claims. */
const FILLED = 0.9;

async function bucketHasRoom(scene: Scene): Promise<readonly Finding[]> {
  const { connection } = await scene.connect("worker");
  const { streams } = await jetstreamManager(connection);
  const { bytes } = (await streams.info("KV_tasks")).state;
  const { outcome } = await scene.operator.ask("tasks.create.plan.room", LARGE);
  return [
    {
      promise: `the bucket stays below ${100 * FILLED} % of limits.bucket_bytes`,
      holds: bytes < FILLED * BUCKET_BYTES,
      seen: `${Math.round((100 * bytes) / BUCKET_BYTES)} %`,
    },
    { promise: "others can create tasks", holds: outcome === "ok", seen: outcome },
  ];
}

/** More than the attacker may fill with results of 60 KiB. */
const WORK = 200;
const RESULT_BYTES = 60 * 1024;
const REPORTED_BYTES = 4 * MIB;

interface Completed {
  readonly result: unknown;
}

async function resultsAreBounded({ operator }: Scene): Promise<readonly Finding[]> {
  let [large, all] = [0, 0];
  for (let cursor: unknown = undefined; cursor !== null;) {
    const page = await operator.must("tasks.list", { prefix: "work.", status: "complete", cursor });
    const tasks = page.tasks as readonly Completed[];
    large += tasks.filter(({ result }) => result !== null).length;
    all += tasks.length;
    cursor = page.next_cursor ?? null;
  }
  return [
    {
      promise: `one principal reports at most ${REPORTED_BYTES / MIB} MiB (limits.bytes_per_principal)`,
      holds: large * RESULT_BYTES <= 1.1 * REPORTED_BYTES,
      seen: `${large} results of 60 KiB`,
    },
    {
      promise: "claims can be ended without a result",
      holds: all > large,
      seen: `${all - large} of ${all}`,
    },
  ];
}

export const STORAGE: readonly Row[] = [
  {
    name: "large-tasks",
    does: "creates tasks of 60 KiB without end; then the worker is killed and started",
    attack: "large tasks",
    settings: { "limits.bytes_per_principal": OWNED_BYTES },
    after: afterRestart,
  },
  {
    name: "history",
    does: "claims and releases its tasks of 60 KiB without end, so that the bucket fills with their history",
    attack: "history",
    settings: { "limits.bucket_bytes": BUCKET_BYTES },
    after: bucketHasRoom,
  },
  {
    name: "results",
    does: "completes the tasks of others with results of 60 KiB",
    attack: "results",
    settings: { "limits.bytes_per_principal": REPORTED_BYTES },
    prepare: async ({ operator }) => {
      const tasks = Array.from({ length: WORK }, (_, i) => ({ task_id: `work.${i}` }));
      await operator.must("tasks.import", { tasks });
    },
    after: resultsAreBounded,
  },
];
