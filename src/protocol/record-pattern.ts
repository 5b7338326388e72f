/**
 * Recognizes the text of a record as this version writes it, and cuts it into the texts of its fields. This
 * takes a fifth of the time of parsing and checking: a worker that starts reads a million records.
 *
 * What the pattern accepts, the schema accepts and leaves as it is. A record that is not recognized need not
 * be wrong: it has values that are rare, or somebody else has written it. Then it is parsed.
 */
import { EVENT_TYPES, TASK_STATUSES } from "../task/task.ts";
import { MAX_INSTANCE_LENGTH, MAX_PRIORITY } from "./fields.ts";
import { TIME_TEXT } from "./quick-record-check.ts";
import { ID_TOKENS, MAX_ID_LENGTH } from "./subjects.ts";
import type { taskRecord } from "./task-record.ts";

/** Longer texts are parsed: matching them could take more of the stack than there is. */
const MAX_LENGTH = 65_536;
/**
 * How deep arrays and objects may be nested. Each level makes the pattern twice as long, and V8 does not
 * optimize one of more than 20 KiB.
 */
const LEVELS = { payload: 4, result: 4, metadata: 2, error: 1 };

/** Without the escapes that half of a surrogate pair needs, and those that no JSON writer of ours uses. */
const TEXT = String.raw`"[^"\\\x00-\x1f]*(?:\\(?:["\\bfnrt]|u00[01][\da-f])[^"\\\x00-\x1f]*)*"`;
const WHOLE = String.raw`(?:0|[1-9]\d{0,14})`;
/**
 * So short that parsing cannot change it. As everywhere here, no text fits two alternatives: otherwise a
 * record that is not recognized could take forever.
 */
const NUMBER = String.raw`-?(?:0|[1-9]\d{0,14})|-?(?:0|[1-9]\d{0,6})\.\d{1,7}`;
const ID = `(?![^"]{${MAX_ID_LENGTH + 1}})${ID_TOKENS}`;
const EVENT_TYPE = `"(?:${EVENT_TYPES.join("|")})"`;
const STATUS = `(?:${TASK_STATUSES.join("|")})`;

/** The item is in the pattern only once: a comma follows it, or the end. */
function listOf(item: string): string {
  return String.raw`\[(?:${item}(?:,(?!\])|(?=\])))*\]`;
}

function objectOf(value: string): string {
  const member = `(?!"__proto__")${TEXT}:${value}`;
  return String.raw`\{(?:${member}(?:,(?!\})|(?=\})))*\}`;
}

function valueOf(levels: number): string {
  const scalar = `${TEXT}|null|true|false|${NUMBER}`;
  if (levels === 0) return `(?:${scalar})`;
  const inner = valueOf(levels - 1);
  return `(?:${scalar}|${listOf(inner)}|${objectOf(inner)})`;
}

function membersOf(fields: Readonly<Record<string, string>>): string[] {
  return Object.entries(fields).map(([name, pattern]) => `"${name}":${pattern}`);
}

function optional(fields: Readonly<Record<string, string>>): string {
  return membersOf(fields)
    .map((member) => `(?:,${member})?`)
    .join("");
}

const NAMES = `(${listOf(TEXT)})`;
const TIME_OR_NULL = `(?:null|"(${TIME_TEXT})")`;
const ID_OR_NULL = `(null|"${ID}")`;

/** Each field has one group, except the id in the event, which the domain does not keep. */
const EVENT = {
  type: `(${EVENT_TYPE})`,
  task_id: `"${ID}"`,
  old_status: `(null|"${STATUS}")`,
  new_status: `"(${STATUS})"`,
  claimed_by: ID_OR_NULL,
  session_id: ID_OR_NULL,
  reason: `(null|${TEXT})`,
  timestamp: `"(${TIME_TEXT})"`,
};
const EVENT_SOMETIMES = { principal: `(${TEXT})` };

const ALWAYS = {
  task_id: `"(${ID})"`,
  title: `(${TEXT})`,
  description: `(null|${TEXT})`,
  priority: `([0-${MAX_PRIORITY}])`,
  depends_on: `(${listOf(`"${ID}"`)})`,
  requires: NAMES,
  tags: NAMES,
  metadata: `(${objectOf(valueOf(LEVELS.metadata - 1))})`,
  payload: `(${valueOf(LEVELS.payload)})`,
  max_failures: String.raw`([1-9]\d{0,5})`,
  max_lost_leases: String.raw`(0|[1-9]\d{0,5})`,
  status: `"(${STATUS})"`,
  claimed_by: ID_OR_NULL,
  claimed_at: TIME_OR_NULL,
  attempt: `(${WHOLE})`,
  failures: `(${WHOLE})`,
  lost_leases: `(${WHOLE})`,
  not_before: TIME_OR_NULL,
  result: `(${valueOf(LEVELS.result)})`,
  error: `(${valueOf(LEVELS.error)})`,
  created_at: `"(${TIME_TEXT})"`,
  updated_at: `"(${TIME_TEXT})"`,
  completed_at: TIME_OR_NULL,
  completed_by: ID_OR_NULL,
  last_event: String.raw`\{${membersOf(EVENT).join(",")}${optional(EVENT_SOMETIMES)}\}`,
};

/** Fields that most records lack. */
const SOMETIMES = {
  cancel_requested: "(true)",
  ttl_seconds: String.raw`([1-9]\d{0,4})`,
  claim_request: `(${TEXT})`,
  claim_instance: `("(?![^"]{${MAX_INSTANCE_LENGTH + 1}})[^"\\\\\\x00-\\x1f]+")`,
  fencing_token: `(${WHOLE})`,
  lease_epoch: `(${WHOLE})`,
  created_revision: `(${WHOLE})`,
  created_by: `(${TEXT})`,
};
({ ...ALWAYS, ...SOMETIMES }) satisfies Record<keyof typeof taskRecord.shape, string>;

const RECORD = new RegExp(String.raw`^\{${membersOf(ALWAYS).join(",")}${optional(SOMETIMES)}\}$`);

/**
 * The texts of the fields, in the order of the record: times, the id, and the statuses that cannot be
 * `null` without their quotes, everything else as JSON. `undefined` stands for a field that is left out, and
 * for a time that is `null`. Returns `null` if the record is not recognized.
 */
export function textsOf(record: string): readonly (string | undefined)[] | null {
  return record.length > MAX_LENGTH ? null : RECORD.exec(record);
}
