/** `if-coordinator auth check`: tries with the credentials of a principal what must be refused. */
import { type Command, Option } from "commander";
import { type Role, ROLES } from "../../auth/names.ts";
import {
  attemptConnection,
  attemptRequest,
  isRepublished,
  listen,
} from "../../nats/access-attempts.ts";
import { type Connection, connectNats, type ConnectOptions } from "../../nats/connection.ts";
import { connectOptions, CONNECTION_NAMES } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { addExamples } from "../shared/help.ts";
import { parseText } from "../shared/parse-values.ts";
import { TASK_UPDATES } from "../../protocol/subjects.ts";
import { attemptsOf, tryAll } from "./check/attempts.ts";
import { tryBetween } from "./check/between-agents.ts";
import { judgeUpdates } from "./check/updates.ts";
import { formatRows } from "./check/report.ts";
import { mustBeForbidden, type Row } from "./check/verdict.ts";

interface CheckOptions extends ConnectionOptions, OutputOptions {
  readonly other?: string;
  readonly role: Role;
}

export function define(command: Command): void {
  command
    .option(
      "--other <file>",
      "credentials of another principal, from which it must be separated",
      parseText,
    )
    .addOption(
      new Option("--role <role>", "what the credentials are for").choices(ROLES).default("agent"),
    );
  addConnectionOptions(addJsonOption(command)).action(check);
  addExamples(command, [
    "auth check --creds s1.creds --other s2.creds",
    "auth check --creds ann.creds --role operator",
  ]);
}

async function check(options: CheckOptions): Promise<void> {
  const nobody = `auth-check-${crypto.randomUUID()}`;
  const settings = connectOptions(options);
  const rows: Row[] = [];
  const connections: Connection[] = [];
  const open = async (more: Partial<ConnectOptions> = {}): Promise<Connection> => {
    const connection = await connectNats({ ...settings, ...more }, CONNECTION_NAMES);
    connections.push(connection);
    return connection;
  };
  try {
    const own = await open();
    rows.push(await tryWithout(settings, nobody));
    const updates = await listen(own, `${TASK_UPDATES}.>`, isRepublished);
    rows.push(...(await tryAll(attemptsOf(options.role, nobody), own)));
    if (options.role === "agent") rows.push(...(await judgeUpdates(own, updates)));
    if (options.other !== undefined) {
      rows.push(...(await tryBetween(own, await open({ credsFile: options.other }), nobody)));
    }
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
  const isGood = rows.every((row) => row.isGood);
  await show(options, { ok: isGood, attempts: rows.map(documentOf) }, () => formatRows(rows));
  if (!isGood) process.exitCode = EXIT.failed;
}

/** Servers, and how to verify them, without anything that says who connects. */
async function tryWithout(settings: ConnectOptions, nobody: string): Promise<Row> {
  const { servers, caCert } = settings;
  const attempt = "connect without credentials";
  const anonymous = await attemptConnection({ servers, caCert }, CONNECTION_NAMES);
  if (anonymous === null) return { attempt, isGood: true, result: "refused" };
  try {
    const verdict = mustBeForbidden(await attemptRequest(anonymous, `tasks.requeue.${nobody}`, {}));
    if (verdict.isGood) return { attempt, isGood: true, result: "it reaches nothing" };
    const cure = "let the NATS server authenticate its clients";
    return { attempt, isGood: false, result: "it works, and reaches the coordinator", cure };
  } finally {
    await anonymous.close();
  }
}

function documentOf({ isGood, ...row }: Row): object {
  return { ok: isGood, ...row };
}
