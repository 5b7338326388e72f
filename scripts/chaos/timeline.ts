/** What happened to a task in a run, as text and as a picture with a lane for each client. */
import { renderLaneChart, type Span } from "../charts/lane-chart.ts";
import type { TaskOperation } from "../../src/history/recorded-operation.ts";
import type { RecordedOperation, RecordedUpdate } from "../../src/history/recording.ts";
import type { Result } from "./run.ts";

interface TaskHistory {
  readonly operations: readonly RecordedOperation[];
  readonly updates: readonly RecordedUpdate[];
}

function historyOf({ recording }: Result, taskId: string): TaskHistory {
  return {
    operations: recording.operations.filter((operation) => operation.taskId === taskId),
    updates: recording.updates.filter((update) => update.task_id === taskId),
  };
}

/** One line for each operation and update of the task, and for each fault, in the order of time. */
export function timelineText(result: Result, taskId: string): string {
  const { faults, startedAt } = result;
  const { operations, updates } = historyOf(result, taskId);
  const lines: { readonly at: number; readonly text: string }[] = [
    ...faults.map(({ at, name }) => ({ at: startedAt + at, text: `======== ${name}` })),
    ...updates.map(({ toldAt: at, type, revision, task }) => {
      const state = `${task.status} ${task.claimed_by ?? ""} attempt ${task.attempt}`;
      return { at, text: `    update ${revision} ${type}: ${state}` };
    }),
    ...operations.map(({ client, invokedAt: at, returnedAt, op }) => {
      const took = returnedAt === Infinity ? "no answer" : `${Math.round(returnedAt - at)} ms`;
      return {
        at,
        text: `${client} ${JSON.stringify(op.asked)} (${took}) ${JSON.stringify(op.told)}`,
      };
    }),
  ];
  return lines
    .sort((a, b) => a.at - b.at)
    .map(({ at, text }) => `${((at - startedAt) / 1000).toFixed(3).padStart(9)} s  ${text}\n`)
    .join("");
}

/** The lane of the record, drawn from the updates. */
const RECORD = "record";

const TOLD_COLORS = { ok: "#2ca02c", refused: "#7f7f7f", unknown: "#ff7f0e" } as const;
const STATUS_COLORS = {
  blocked: "#c7c7c7",
  available: "#aec7e8",
  claimed: "#98df8a",
  complete: "#1f77b4",
  failed: "#d62728",
  cancelled: "#8c564b",
} as const;

/** The timeline as an SVG image: the states of the record, and below them the operations of each client. */
export function timelinePicture(result: Result, taskId: string): string {
  const { operations, updates } = historyOf(result, taskId);
  const seconds = (at: number): number => (at - result.startedAt) / 1000;
  const ends = [...operations.map(endOf), ...updates.map(({ toldAt }) => toldAt)];
  const [begin, end] = [
    Math.min(...operations.map(({ invokedAt }) => invokedAt), ...ends),
    Math.max(...ends),
  ];
  const states = updates.map(({ toldAt, type, task }, i): Span => {
    const holder = task.claimed_by === null ? "" : ` ${task.claimed_by}`;
    return {
      lane: RECORD,
      from: seconds(toldAt),
      to: seconds(updates[i + 1]?.toldAt ?? end),
      label: `${type.replace("task_", "")}${holder} ${task.attempt}`,
      color: STATUS_COLORS[task.status],
    };
  });
  const asked = operations.map((operation): Span => {
    const { client: lane, invokedAt, op } = operation;
    const [from, to] = [seconds(invokedAt), seconds(endOf(operation))];
    return { lane, from, to, label: labelOf(op), color: TOLD_COLORS[op.told.kind] };
  });
  const marks = result.faults
    .map(({ at, name }) => ({ x: at / 1000, name }))
    .filter(({ x }) => x >= seconds(begin) && x <= seconds(end));
  return renderLaneChart({
    title: `${taskId}: green is done, grey is refused, orange has no answer`,
    x: { title: "Time", unit: "s" },
    lanes: [RECORD, ...new Set(operations.map(({ client }) => client))],
    spans: [...states, ...asked],
    marks,
  });
}

/** The end of an operation without an answer is unknown: it is drawn without length. */
function endOf({ invokedAt, returnedAt }: RecordedOperation): number {
  return returnedAt === Infinity ? invokedAt : returnedAt;
}

function labelOf({ asked, told }: TaskOperation): string {
  const result = told.kind === "refused" ? ` ${told.code}` : "";
  const status = asked.kind === "release" ? ` ${asked.status}` : "";
  const attempt = "attempt" in asked ? ` ${asked.attempt}` : "";
  return `${asked.kind}${status}${attempt}${result}`;
}
