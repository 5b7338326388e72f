/**
 * Measures `subscribeTaskUpdates` and `claimTask` on this machine: `npm run build`, then
 * `node dist/scripts/measure-updates.js`. Prints what is lost and delivered twice when connections and
 * the server break, how much memory a subscriber takes that does not get on, and what the library adds
 * to the latency of a claim.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { readHistory } from "../src/nats/read-history.ts";
import { createRandomFor } from "../src/simulation/random.ts";
import { CliProcess } from "../test/support/cli-process.ts";
import { NatsProxy } from "../test/support/nats-proxy.ts";
import { TestServer } from "../test/support/nats-server.ts";
import { UpdateClient } from "../test/support/observed-updates.ts";
import { SteadyWriter } from "../test/support/steady-writer.ts";
import { TestCoordinator } from "../test/support/test-coordinator.ts";
import { median } from "./lab/statistics.ts";

const FAULT_RUNS = 5;
const UPDATES = 20_000;
const CLAIMS = 2_000;
const WARM_UP = 200;

const [mode, url = ""] = process.argv.slice(2);
if (mode === "stuck" || mode === "fast") await subscribeInChild(mode, url);
else {
  console.table(await measureFaults());
  console.table(await measureHeap());
  console.table(await measureClaims());
}

async function measureFaults(): Promise<object[]> {
  const rows: object[] = [];
  for (let seed = 1; seed <= FAULT_RUNS; seed++) rows.push(await faultRun(seed));
  return rows;
}

/** Two subscribers, of whom one loses its connection; the server is killed as well. */
async function faultRun(seed: number): Promise<object> {
  await using coordinator = await TestCoordinator.start({ workers: 2, settings: { history: 64 } });
  const { server } = coordinator;
  await using proxy = await NatsProxy.start(server.port);
  await using cut = await UpdateClient.connect(proxy.url);
  await using whole = await UpdateClient.connect(server.url);
  await using writing = await UpdateClient.connect(server.url);
  const all = [
    await cut.observe(),
    await cut.observe({}, () => new Promise(setImmediate)),
    await whole.observe(),
  ];
  const random = createRandomFor(seed, 0);
  const writer = new SteadyWriter(writing, createRandomFor(seed, 1));
  let cuts = 0;
  for (let i = 0; i < 20; i++) {
    await writer.untilWritten(Math.ceil(random() * 40));
    if (i % 7 === 6) {
      await server.kill();
      await server.restart();
      continue;
    }
    proxy.cut();
    cuts++;
    await writer.untilWritten(Math.ceil(random() * 20));
    proxy.mend();
  }
  const last = await writer.stop();
  await Promise.all(all.map((seen) => seen.until(last)));
  const written = (await readHistory(coordinator.connection)).map(({ revision }) => revision);
  const told = all.map(({ revisions }) => revisions);
  return {
    cuts,
    "kills of the server": 2,
    subscriptions: all.length,
    written: written.length,
    delivered: told.flat().length,
    lost: told.flatMap((ofOne) => written.filter((one) => !ofOne.includes(one))).length,
    "delivered twice": told.reduce((sum, ofOne) => sum + ofOne.length - new Set(ofOne).size, 0),
    "out of order": told.flatMap((ofOne) => ofOne.filter((one, i) => one < (ofOne[i - 1] ?? 0)))
      .length,
  };
}

async function measureHeap(): Promise<object[]> {
  const rows: object[] = [];
  for (const how of ["fast", "stuck"] as const) rows.push(await heapOf(how));
  return rows;
}

/** The heap of a process with one subscriber, after all the updates have come by. */
async function heapOf(how: "fast" | "stuck"): Promise<object> {
  await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
  const script = fileURLToPath(import.meta.url);
  const child = fork(script, [how, coordinator.server.url], { execArgv: ["--expose-gc"] });
  const before = await reply(child);
  await importTasks(coordinator, UPDATES, { payload: "x".repeat(1000) });
  child.send("measure");
  const { told, heapMb } = await reply(child);
  const exited = once(child, "exit");
  child.send("end");
  await exited;
  return {
    subscriber: how,
    "updates of 1 KB": UPDATES,
    told,
    "heap before (MB)": before.heapMb,
    "heap after (MB)": heapMb,
  };
}

interface Heap {
  readonly told: number;
  readonly heapMb: number;
}

async function reply(child: ChildProcess): Promise<Heap> {
  const [message] = (await once(child, "message")) as [Heap];
  return message;
}

/** What the child does: says how large its heap is at the beginning and when it is asked. */
async function subscribeInChild(how: "fast" | "stuck", serverUrl: string): Promise<void> {
  await using client = await UpdateClient.connect(serverUrl);
  let told = 0;
  let toldAll = (): void => undefined;
  const all = new Promise<void>((resolve) => (toldAll = resolve));
  await client.coordinator.subscribeTaskUpdates(() => {
    if (++told === UPDATES) toldAll();
    return how === "stuck" ? new Promise(() => undefined) : undefined;
  });
  const tell = (): void => {
    global.gc?.();
    const heapMb = Math.round(process.memoryUsage().heapUsed / 1e5) / 10;
    process.send?.({ told, heapMb } satisfies Heap);
  };
  tell();
  await once(process, "message");
  if (how === "fast") await all;
  // What has come by the time of an answer on the same connection has been taken in.
  else await client.bus.health();
  tell();
  await once(process, "message");
  process.disconnect();
}

async function importTasks(coordinator: TestCoordinator, count: number, more = {}): Promise<void> {
  for (let first = 0; first < count; first += 100) {
    const tasks = Array.from({ length: 100 }, (_, i) => ({ task_id: `t${first + i}`, ...more }));
    await coordinator.ok("tasks.import", { tasks });
  }
}

/** Claims by the library and by plain requests, in turns, on one connection; the worker is another process. */
async function measureClaims(): Promise<object[]> {
  await using server = await TestServer.start();
  await using worker = new CliProcess(["serve", "--nats", server.url, "--http-port", "0"]);
  await using client = await UpdateClient.connect(server.url);
  const { tasks } = client.coordinator;
  await Promise.race([tasks.stats({ deadlineMs: 15_000 }), worker.exited]);
  const count = 2 * (CLAIMS + WARM_UP);
  await tasks.importTasks(Array.from({ length: count }, (_, i) => ({ task_id: `t${i}` })));
  const { connection } = client.bus.link;
  const body = JSON.stringify({ session_id: "s1" });
  const times: { library: number[]; plain: number[] } = { library: [], plain: [] };
  for (let i = 0; i < count; i += 2) {
    const started = performance.now();
    if (!(await client.coordinator.claimTask(`t${i}`, "s1"))) throw new Error("not claimed");
    const between = performance.now();
    const answer = await connection.request(`tasks.claim.t${i + 1}`, body, { timeout: 5_000 });
    if (!answer.json<{ ok: boolean }>().ok) throw new Error("not claimed");
    times.library.push(between - started);
    times.plain.push(performance.now() - between);
  }
  const [library, plain] = [times.library, times.plain].map((all) => median(all.slice(WARM_UP)));
  if (library === undefined || plain === undefined) throw new Error("nothing was measured");
  return [
    {
      claim: "coordinator.claimTask",
      "median (ms)": round(library),
      "to plain": round(library / plain),
    },
    { claim: "connection.request", "median (ms)": round(plain), "to plain": 1 },
  ];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
