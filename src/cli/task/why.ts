/** `if-coordinator task why`: says why nobody works on a task, and what the answer is to that. */
import type { Command } from "commander";
import type { Calls } from "../../client/calls.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { parseCount, parseTaskId } from "../shared/parse-values.ts";
import { helpLines, summaryOf, treeLines } from "../why/answer.ts";
import type { BlockingChain } from "../why/blocking-chain.ts";
import { explain } from "../why/explanation.ts";
import { loadChain } from "../why/load-chain.ts";
import { NO_DEMAND, readDemand, readLeases, taskReader, toChainTask } from "../why/read-tasks.ts";
import { described, makeReport, type Report, toDocument } from "../why/report.ts";

interface WhyOptions extends ConnectionOptions, OutputOptions {
  readonly depth: number;
  readonly limit: number;
}

export function define(command: Command): void {
  command
    .argument("<id>", "id of the task", parseTaskId)
    .option("--depth <n>", "levels of blocking tasks to show", parseCount, 8)
    .option("--limit <n>", "tasks to show in all", parseCount, 50);
  addConnectionOptions(addJsonOption(command)).action(why);
  addExamples(command, ["task why P0.5.1", "task why P0.5.1 --json | jq -r .reason.code"]);
}

async function why(id: string, options: WhyOptions): Promise<void> {
  await withCalls(options, async ({ calls }) => {
    const report = await readReport(calls, id, options);
    const now = Date.now();
    const summary = summaryOf(report, now);
    await show(options, toDocument(report, summary), () => textOf(report, summary, now));
  });
}

async function readReport(calls: Calls, id: string, limits: WhyOptions): Promise<Report> {
  const { task, lease } = await calls.call("tasks.get", id, () => ({}));
  const chain = await loadChain(toChainTask(task), taskReader(calls));
  const explanation = explain(chain, limits);
  const shown = [...described(explanation)];
  const isReady = shown.some((one) => statusIn(chain, one) === "available");
  const claimed = shown.filter((one) => one !== id && statusIn(chain, one) === "claimed");
  const [demand, leases] = await Promise.all([
    isReady ? readDemand(calls) : NO_DEMAND,
    readLeases(calls, claimed),
  ]);
  if (lease !== null) leases.set(id, lease);
  return makeReport(chain, explanation, { now: Date.now(), demand, leases });
}

function statusIn(chain: BlockingChain, id: string): string | null {
  const found = chain.get(id);
  return typeof found === "string" ? null : found.status;
}

function textOf(report: Report, summary: string, now: number): string {
  const tree = treeLines(report, now);
  const help = helpLines(report);
  return [
    summary,
    ...(tree.length === 0 ? [] : ["", ...tree]),
    ...(help.length === 0 ? [] : ["", "What helps:", ...help]),
  ].join("\n");
}
