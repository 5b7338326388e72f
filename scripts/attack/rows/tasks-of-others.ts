/** Attacks on the tasks of others: their definitions, their ids, and who is named afterwards. */
import { readFileSync } from "node:fs";
import { jetstreamManager } from "@nats-io/jetstream";
import type { AttackReport } from "../attack.ts";
import type { Row, Scene } from "../row.ts";
import { ATTACKER, HONEST, OPERATOR } from "../set-up.ts";
import type { Finding } from "../verdict.ts";

const OPEN = "without accounts, everyone counts as an operator, and nobody is named";
const [OWNER] = HONEST;
const IMPORTED = 10;
const AUDIT_STREAM = "AUDIT";
const FORBIDDEN = 5;

async function definitionsAreWhole(
  { operator }: Scene,
  { answers }: AttackReport,
): Promise<readonly Finding[]> {
  const changed: string[] = [];
  for (const id of [`${OWNER}.kept`, "plan.open"]) {
    const { task } = await operator.must(`tasks.get.${id}`);
    const { title, depends_on: needs } = task as { title: string; depends_on?: string[] };
    if (title === "stolen" || (needs ?? []).length > 0) changed.push(id);
  }
  return [
    {
      promise: "updates and cancels of the tasks of others are refused",
      holds: (answers.ok ?? 0) === 0,
      seen: `${answers.ok ?? 0} accepted, ${answers.forbidden ?? 0} forbidden`,
    },
    {
      promise: "the tasks of others keep their definition",
      holds: changed.length === 0,
      seen: changed.length === 0 ? "all are whole" : `changed: ${changed.join(", ")}`,
    },
  ];
}

/** As `auth add-agent --prefix` does. A build without the bucket does not store it. */
async function givePrefix(scene: Scene): Promise<void> {
  const worker = await scene.connect("worker");
  const prefixes = { prefixes: [`${OWNER}.`] };
  await worker.ask(`$KV.principals.agent.${OWNER}`, prefixes, 1_000);
}

async function importAll(
  { operator }: Scene,
  { answers }: AttackReport,
): Promise<readonly Finding[]> {
  const tasks = Array.from({ length: IMPORTED }, (_, i) => {
    return { task_id: `${OWNER}.plan.${i}`, title: "As planned" };
  });
  await operator.ask("tasks.import", { tasks });
  const titles = await Promise.all(
    tasks.map(async ({ task_id: id }) => {
      const { body } = await operator.ask(`tasks.get.${id}`);
      return (body.task as { readonly title?: string } | undefined)?.title;
    }),
  );
  const planned = titles.filter((title) => title === "As planned").length;
  return [
    {
      promise: "nobody else creates tasks below a prefix that an agent owns",
      holds: (answers.ok ?? 0) === 0 && (answers.forbidden ?? 0) > 0,
      seen: `${answers.ok ?? 0} created, ${answers.forbidden ?? 0} forbidden`,
    },
    {
      promise: "the import of an operator finds the ids free",
      holds: planned === IMPORTED,
      seen: `${planned} of ${IMPORTED} as planned`,
    },
  ];
}

async function everybodyIsNamed(scene: Scene): Promise<readonly Finding[]> {
  const audit = await auditLines(await scene.connect("worker"));
  const log = readFileSync(scene.target.logFile, "utf8").split("\n");
  const has = (lines: readonly string[], ...words: readonly string[]): number =>
    lines.filter((line) => words.every((word) => line.includes(word))).length;
  const refused = has(audit, ATTACKER, "forbidden");
  const cancels = has(audit, OPERATOR, "tasks.cancel");
  const logged = has(log, ATTACKER, "forbidden");
  return [
    {
      promise: "the audit has each refusal for lack of right, with the name",
      holds: refused >= FORBIDDEN,
      seen: `${refused} of ${FORBIDDEN}`,
    },
    {
      promise: "the audit names the operator of each change",
      holds: cancels > 0,
      seen: `${cancels} with ${OPERATOR}`,
    },
    { promise: "the log names who was refused", holds: logged > 0, seen: `${logged} lines` },
  ];
}

/** The messages of the audit as text, with their subjects. Empty if the worker keeps none. */
async function auditLines({
  connection,
}: Awaited<ReturnType<Scene["connect"]>>): Promise<string[]> {
  const { streams } = await jetstreamManager(connection);
  const info = await streams.info(AUDIT_STREAM).catch(() => null);
  const lines: string[] = [];
  for (let seq = info?.state.first_seq ?? 1; seq <= (info?.state.last_seq ?? 0); seq++) {
    const message = await streams.getMessage(AUDIT_STREAM, { seq }).catch(() => null);
    if (message !== null) lines.push(`${message.subject} ${message.string()}`);
  }
  return lines;
}

export const TASKS_OF_OTHERS: readonly Row[] = [
  {
    name: "updates",
    does: "updates and cancels tasks that others have created or hold, in its own name and in none",
    attack: "updates",
    notPromised: { open: OPEN },
    prepare: async ({ operator }) => {
      await operator.must("tasks.create.plan.open", { title: "Open" });
    },
    after: definitionsAreWhole,
  },
  {
    name: "taken-ids",
    does: "creates tasks with the ids that an operator is about to import",
    attack: "taken ids",
    notPromised: { open: OPEN },
    prepare: givePrefix,
    after: importAll,
  },
  {
    name: "forbidden",
    does: "tries five times what only others may do",
    attack: "forbidden",
    notPromised: { open: OPEN },
    prepare: async ({ operator }) => {
      await operator.must("tasks.create.plan.cancelled", {});
      await operator.must("tasks.cancel.plan.cancelled", {});
    },
    after: everybodyIsNamed,
  },
];
