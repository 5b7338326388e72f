/** `if-coordinator audit`: who changed what, and who was refused. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { AuditReader, type StoredAuditMessage } from "../nats/audit-reader.ts";
import { auditSubjects } from "../protocol/audit-message.ts";
import type { Operation } from "../protocol/operations.ts";
import { auditHeader, formatAuditMessage } from "./audit/line.ts";
import { withCalls } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonlOption, type OutputOptions, write } from "./shared/data.ts";
import { addExamples } from "./shared/help.ts";
import { Interruption } from "./shared/interruption.ts";
import { jsonText } from "./shared/json-text.ts";
import { printError } from "./shared/output.ts";
import { parseCount, parseDuration, parseTaskId, parseTime } from "./shared/parse-values.ts";

interface AuditOptions extends ConnectionOptions, OutputOptions {
  readonly since?: Date;
  readonly principal?: string;
  readonly task?: string;
  readonly operation?: Operation;
  readonly refused?: boolean;
  readonly follow?: boolean;
  readonly limit?: number;
}

/** Messages that are shown if neither --since nor --limit is given. */
const USUAL_LIMIT = 100;

/** Those that change something, or are refused for lack of right. */
const OPERATIONS = [
  ...["tasks.create", "tasks.import", "tasks.claim", "tasks.next", "tasks.renew"],
  ...["tasks.release", "tasks.update", "tasks.cancel", "tasks.requeue", "tasks.verify"],
  ...["tasks.get", "tasks.list", "tasks.history", "tasks.changes", "tasks.stats"],
  ...["sessions.register", "sessions.heartbeat", "sessions.list", "sessions.unregister"],
] as const satisfies readonly Operation[];

export function define(command: Command): void {
  command
    .option(
      "--since <start>",
      "all since then: a duration such as 1h, a time, or beginning (default: the last 100)",
      parseStart,
    )
    .option("--principal <name>", "only of this principal, such as agent.s1", parsePrincipal)
    .option("--task <id>", "only of this task", parseTaskId)
    .addOption(new Option("--operation <operation>", "only of this operation").choices(OPERATIONS))
    .option("--refused", "only what was refused")
    .option("-f, --follow", "go on with each new message until it is stopped")
    .option("--limit <n>", "at most the last so many", parseCount);
  addConnectionOptions(addJsonlOption(command)).action(audit);
  addExamples(command, [
    "audit --creds worker.creds",
    "audit --since 1h --refused",
    "audit --principal agent.s1 --follow",
    "audit --task P0.5.1 --since beginning --jsonl | jq -r .principal",
  ]);
}

async function audit(options: AuditOptions): Promise<void> {
  const { since, task, follow = false, jsonl = false } = options;
  using interruption = new Interruption();
  await withCalls(options, async ({ connection, jsDomain }) => {
    const reader = new AuditReader(connection, jsDomain, {
      subjects: auditSubjects(options),
      wants: ({ id }) => task === undefined || id === task,
    });
    const last = await reader.last();
    const output = new Output(jsonl);
    const show = async (): Promise<void> => {
      const limit = options.limit ?? (since === undefined ? USUAL_LIMIT : Infinity);
      if (since === undefined) await output.all(await reader.latest(limit));
      else if (limit === Infinity) await output.all(reader.from({ time: since }, last));
      else await output.all(await reader.latestSince(since, limit));
      if (follow) await output.all(reader.from({ sequence: last + 1 }, null));
    };
    await Promise.race([interruption.happened, show()]);
    if (output.written === 0 && !follow && !jsonl) printError("if-coordinator: no entry found");
  });
}

class Output {
  written = 0;
  readonly #isJson: boolean;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  async all(
    messages: AsyncIterable<StoredAuditMessage> | Iterable<StoredAuditMessage>,
  ): Promise<void> {
    for await (const message of messages) {
      if (this.written === 0 && !this.#isJson) await write(`${auditHeader()}\n`);
      this.written++;
      await write(`${this.#isJson ? jsonText(message) : formatAuditMessage(message)}\n`);
    }
  }
}

function parseStart(text: string): Date {
  if (text === "beginning") return new Date(0);
  if (text === "now") return new Date();
  if (/^\d+(\.\d+)?[a-z]/.test(text)) return new Date(Date.now() - parseDuration(text));
  try {
    return new Date(parseTime(text));
  } catch {
    throw new InvalidArgumentError(
      "It must be beginning, a duration such as 1h, or a time such as 2026-03-01T09:00:00Z.",
    );
  }
}

function parsePrincipal(text: string): string {
  if (/^(agent|operator)\.[^\s.*>]+$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a principal, such as agent.s1 or operator.ann.");
}
