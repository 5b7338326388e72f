/** Runs one attack next to two honest sessions, and judges it. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../../src/cleanup.ts";
import { Child } from "../lab/child.ts";
import { Asker } from "./asker.ts";
import type { AttackReport } from "./attack.ts";
import type { AttackerMethods } from "./attacker.ts";
import type { Build } from "./build.ts";
import type { HonestMethods } from "./honest.ts";
import type { HonestOptions, HonestReport } from "./honest-agent.ts";
import type { Row, Scene } from "./row.ts";
import { ATTACKER, HONEST, type Mode, OPERATOR, type SetUp } from "./set-up.ts";
import { Target } from "./target.ts";
import { BOUNDS, UNTIMED, type Finding, judge, latencies, type Latencies } from "./verdict.ts";
import { Watch, type Watched } from "./watch.ts";

const HONEST_PROGRAM = fileURLToPath(new URL("honest.js", import.meta.url));
const ATTACKER_PROGRAM = fileURLToPath(new URL("attacker.js", import.meta.url));

export interface RowOptions {
  readonly build: Build;
  readonly setUp: SetUp;
  readonly binary: string;
  readonly folder: string;
  readonly short: boolean;
  readonly untimed: boolean;
  readonly ms: number;
}

export interface RowResult {
  readonly name: string;
  readonly mode: Mode;
  readonly findings: readonly Finding[];
  /** Why a finding that does not hold is no failure. */
  readonly notPromised: string | null;
  readonly quiet: Latencies;
  readonly attacked: Latencies;
  readonly watched: Watched;
  readonly logBytes: number;
  readonly attack: AttackReport;
}

/** Before and after the attack. */
const CALM_MS = { short: 1_000, full: 3_000 };
/** A lease of the honest sessions. It ends if it is not renewed during the attack. */
const LEASE_SECONDS = { short: 5, full: 10 };

export async function runRow(row: Row, options: RowOptions): Promise<RowResult> {
  await using cleanup = new Cleanup();
  const { setUp, build, short, ms } = options;
  const folder = join(options.folder, `${row.name}-${setUp.mode}`);
  const settings = row.settings ?? {};
  const target = cleanup.use(await Target.start({ ...options, folder, settings }));
  const connect = async (name: string): Promise<Asker> =>
    cleanup.use(await Asker.open(target.login(name), name));
  const operator = await connect(OPERATOR);
  const scene: Scene = { build, target, mode: setUp.mode, short, ms, operator, connect };
  await row.prepare?.(scene);
  const played = await play(row, scene, cleanup);
  const { honest, watched, attack, during } = played;
  const logBytes = target.logBytes;
  const deaths = [...target.deaths];
  const samples = honest.samples.filter(({ phase }) => phase !== "quiet");
  const { workerMiB, notReady } = watched;
  const observed = { deaths, notReady, lost: honest.lost, samples, workerMiB, logBytes };
  const general = judge(observed, {
    ...BOUNDS,
    ...row.bounds,
    ...(options.untimed ? UNTIMED : {}),
  });
  const after = (await row.after?.(scene, attack)) ?? [];
  return {
    name: row.name,
    mode: setUp.mode,
    findings: [...general, ...during, ...after],
    notPromised: row.notPromised?.[setUp.mode] ?? null,
    quiet: latencies(honest.samples.filter(({ phase }) => phase === "quiet")),
    attacked: latencies(samples),
    watched,
    logBytes,
    attack,
  };
}

interface Played {
  readonly honest: HonestReport;
  readonly watched: Watched;
  readonly attack: AttackReport;
  readonly during: readonly Finding[];
}

async function play(row: Row, scene: Scene, cleanup: Cleanup): Promise<Played> {
  const { target, short, ms } = scene;
  const calmMs = CALM_MS[short ? "short" : "full"];
  const leaseSeconds = LEASE_SECONDS[short ? "short" : "full"];
  const sessions = HONEST.map((name): HonestOptions => {
    return { login: target.login(name), session: name, leaseSeconds };
  });
  const honest = cleanup.use(
    await Child.start<HonestMethods>(HONEST_PROGRAM, [JSON.stringify(sessions)]),
  );
  const { url, credsFile } = target.login(ATTACKER);
  const attackerArguments = [url, ...(credsFile === null ? [] : [credsFile])];
  const attacker = cleanup.use(
    await Child.start<AttackerMethods>(ATTACKER_PROGRAM, attackerArguments),
  );
  await honest.ask("start");
  await delay(calmMs);
  const watch = new Watch(target, attacker.pid);
  await honest.ask("enter", "attack");
  const [attack, during] = await Promise.all([
    attacker.ask("run", row.attack, ms),
    row.during?.(scene) ?? [],
  ]);
  const busy = watch.busy();
  // Its connection ends, and with it what the attacker has left in the worker.
  await attacker[Symbol.asyncDispose]();
  await honest.ask("enter", "after");
  await delay(calmMs);
  const watched = await watch.stop(busy);
  return { honest: await honest.ask("stop"), watched, attack, during };
}
