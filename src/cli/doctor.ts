/** `if-coordinator doctor`: checks everything that the coordinator depends on, and says what to do. */
import type { Command } from "commander";
import { Calls } from "../client/calls.ts";
import { clientSettings } from "../config/client-settings.ts";
import { type Connection, ConnectionError, connectNats } from "../nats/connection.ts";
import { parseServers } from "../nats/connection-values.ts";
import { inboxProblem } from "../nats/inspection/connection-facts.ts";
import { CHECKS } from "./doctor/checks.ts";
import { judgeFailure, judgeNoReplies } from "./doctor/connecting.ts";
import { Examination, type ExaminationOptions, inspectAddresses } from "./doctor/examination.ts";
import { countOf, documentOf, formatResult, formatSummary, mergeAlike } from "./doctor/report.ts";
import type { FindingCode } from "./doctor/finding-codes.ts";
import { type CheckResult, runChecks } from "./doctor/run-checks.ts";
import { connectOptions } from "./shared/client.ts";
import { servedRequester } from "./shared/served-requester.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonOption, type OutputOptions, write } from "./shared/data.ts";
import { UsageError } from "./shared/errors.ts";
import { EXIT, type ExitCode } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { collectList, parseDuration } from "./shared/parse-values.ts";
import { jsonText } from "./shared/json-text.ts";

interface DoctorOptions extends ConnectionOptions, OutputOptions {
  readonly overdue?: number;
  readonly monitor?: readonly string[];
  readonly http?: string;
}

const DEFAULT_READING_MS = 30_000;
const DEFAULT_OVERDUE_MS = 4 * 3_600_000;
const DEFAULT_HTTP = "http://127.0.0.1:9090";

/** If the connection breaks, the checks should say so soon. */
const MOST_RECONNECTS = 2;

export function define(command: Command): void {
  command
    .option(
      "--overdue <duration>",
      "how long a session may hold a task without reporting progress (default: 4h)",
      parseDuration,
    )
    .option(
      "--monitor <url,...>",
      "monitoring ports of the NATS servers, such as http://nats-1:8222 (default: port 8222 of each)",
      collectList,
    )
    .option("--http <url>", `HTTP endpoint of the workers (default: ${DEFAULT_HTTP})`)
    .option(
      "--timeout <duration>",
      "how long to read tasks; then the checks continue with those that it has (default: 30s)",
      parseDuration,
    );
  addConnectionOptions(addJsonOption(command)).action(doctor);
  addExamples(command, [
    "doctor",
    "doctor --nats nats://nats-1:4222,nats://nats-2:4222 --creds operator.creds",
    "doctor --json | jq '.findings[] | select(.verdict == \"problem\")'",
  ]);
}

async function doctor(options: DoctorOptions): Promise<void> {
  const { servers = "", jsDomain } = clientSettings(options);
  const examined = {
    urls: urlsOf(servers),
    jsDomain,
    overdueMs: options.overdue ?? DEFAULT_OVERDUE_MS,
    readingMs: options.timeout ?? DEFAULT_READING_MS,
    monitors: options.monitor ?? [],
    http: options.http ?? DEFAULT_HTTP,
  };
  const results: CheckResult[] = [];
  const isText = options.json !== true;
  const checked = examine(options, examined);
  for await (const result of isText ? mergeAlike(checked) : checked) {
    results.push(result);
    if (isText) await write(`${formatResult(result, process.stdout.columns)}\n`);
  }
  const text = isText ? formatSummary(results) : jsonText(documentOf(results), 2);
  await write(`${text}\n`);
  process.exitCode = exitCodeOf(results);
}

/** Yields the results in the order of the report. */
async function* examine(
  options: DoctorOptions,
  examined: ExaminationOptions,
): AsyncGenerator<CheckResult, void, undefined> {
  const connection = await tryToConnect(options);
  if (connection instanceof Error) {
    yield* judgeFailure(CHECKS, await inspectAddresses(examined.urls), connection);
    return;
  }
  try {
    const refusal = await inboxProblem(connection);
    if (refusal === null) {
      const calls = new Calls(await servedRequester(connection));
      yield* runChecks(CHECKS, new Examination(connection, calls, examined));
    } else yield* judgeNoReplies(CHECKS, await inspectAddresses(examined.urls), refusal);
  } finally {
    await connection.close();
  }
}

/** @throws ContextError */
async function tryToConnect(options: DoctorOptions): Promise<Connection | ConnectionError> {
  const connecting = { ...connectOptions(options), maxReconnectAttempts: MOST_RECONNECTS };
  try {
    return await connectNats(connecting);
  } catch (error) {
    if (error instanceof ConnectionError) return error;
    throw error;
  }
}

/** @throws UsageError */
function urlsOf(servers: string): readonly string[] {
  try {
    return parseServers(servers).urls;
  } catch (error) {
    throw new UsageError(`--nats ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Without a connection or a worker, the other commands end with `noCoordinator` too. */
function exitCodeOf(results: readonly CheckResult[]): ExitCode {
  if (countOf(results, "problem") === 0) return EXIT.done;
  const codes = results.flatMap(({ findings }) => findings.map(({ code }) => code));
  const isMissing = codes.some((code) => code !== null && NO_COORDINATOR.includes(code));
  return isMissing ? EXIT.noCoordinator : EXIT.failed;
}

/** If one of several servers cannot be used, the code is another. */
const NO_COORDINATOR: readonly FindingCode[] = [
  ...(["host_not_found", "connection_refused", "unreachable", "http_port", "not_nats"] as const),
  ...([
    "silent",
    "login_refused",
    "not_connected",
    "inbox_refused",
    "no_worker",
    "not_answered",
  ] as const),
];
