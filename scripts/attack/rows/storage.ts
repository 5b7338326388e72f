/** Attacks that fill the board. */
import type { AttackReport } from "../attack.ts";
import type { Row, Scene } from "../row.ts";
import type { Finding } from "../verdict.ts";

const MIB = 1024 * 1024;
/** Low, so that the attacker reaches it within seconds. */
const OWNED_BYTES = 16 * MIB;
/** A task of 60 KiB, with what its record has in addition to the payload. */
const TASK_BYTES = 61 * 1024;
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

export const STORAGE: readonly Row[] = [
  {
    name: "large-tasks",
    does: "creates tasks of 60 KiB without end; then the worker is killed and started",
    attack: "large tasks",
    settings: { "limits.bytes_per_principal": OWNED_BYTES },
    after: afterRestart,
  },
];
