/** Turns a row, whose names and values are those of people, into a draft of a task. */
import { isValidId } from "../protocol/subjects.ts";
import {
  dependenciesOf,
  jsonOf,
  jsonOrText,
  listOf,
  plainId,
  priorityIn,
  textOf,
  timeOf,
  wholeNumber,
  WrongValue,
} from "./convert.ts";
import type { Draft, GivenDependency, Located, Row } from "./draft.ts";
import { type Findings, shown } from "./findings.ts";
import { type FieldName, meaningOf, misspeltName } from "./field-names.ts";
import { setField } from "./json.ts";
import { isNothing, KNOWN_STATUSES, statusOf, type WordedStatus } from "./words.ts";
import type { Notices } from "./notices.ts";

/** `null` if the row is wrong; the findings then say why. */
export function toDraft(row: Row, findings: Findings, notices: Notices): Draft | null {
  const parts: Parts = {
    fields: {},
    offsets: new Map(),
    metadata: {},
    dependencies: [],
    given: new Map(),
  };
  let isWrong = false;
  for (const [name, located] of moreLast(row.fields)) {
    try {
      readField(name, located, row, parts, notices);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      findings.error(row.source, error.offset, error.message);
      isWrong = true;
    }
  }
  try {
    return isWrong ? null : draftOf(row, parts, notices);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    findings.error(row.source, error.offset, error.message);
    return null;
  }
}

/** What has been read of a row. */
interface Parts {
  readonly fields: Record<string, unknown>;
  readonly offsets: Map<string, number>;
  readonly metadata: Record<string, unknown>;
  dependencies: GivenDependency[];
  /** Fields that decide about others at the end. */
  readonly given: Map<FieldName, Located>;
}

function readField(name: string, located: Located, row: Row, parts: Parts, notices: Notices): void {
  const { value } = located;
  const meaning = meaningOf(name);
  if (meaning === "record only") {
    if (value !== null && value !== "") notices.add("history", row, name);
    return;
  }
  if (meaning === null) {
    readOwnField(name, located, row, parts, notices);
    return;
  }
  if (value === null || (row.isTextual && value === "")) return;
  if (meaning === "more") {
    readMore(convert(meaning, located, row), located, row, parts, notices);
    return;
  }
  if (parts.offsets.has(meaning)) {
    throw new WrongValue(
      located.offset,
      `${meaning}: is there twice, the second time as ${shown(name)}`,
    );
  }
  parts.offsets.set(meaning, located.offset);
  const content = convert(meaning, located, row);
  if (meaning === "depends_on") parts.dependencies = content as GivenDependency[];
  else if (meaning === "metadata") Object.assign(parts.metadata, content);
  else if (meaning === "completed_by" && !row.isTextual) parts.fields.completed_by = content;
  else if (DECIDED_LATER.has(meaning)) parts.given.set(meaning, located);
  else parts.fields[meaning] = content;
}

const DECIDED_LATER = new Set<FieldName>([
  "task_id",
  "status",
  "owner",
  "claimed_by",
  "completed_by",
]);

function convert(name: FieldName, located: Located, { isTextual, idsAbove }: Row): unknown {
  switch (name) {
    case "title":
    case "description":
      return isTextual && located.value === '""' ? "" : textOf(name, located);
    case "depends_on":
      return dependenciesOf(located, idsAbove);
    case "requires":
    case "tags":
      return listOf(name, located);
    case "priority":
      return priorityIn(located);
    case "max_failures":
    case "max_lost_leases":
      return wholeNumber(name, located);
    case "not_before":
    case "completed_at":
      return timeOf(name, located);
    case "payload":
    case "result":
      return isTextual ? jsonOrText(name, located) : located.value;
    case "metadata":
    case "more":
      return objectOf(name, isTextual ? jsonOf(name, located) : located.value, located.offset);
    case "task_id":
    case "status":
    case "owner":
    case "claimed_by":
    case "completed_by":
      return located.value;
  }
}

function objectOf(name: string, value: unknown, offset: number): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    if (!Object.hasOwn(value, "__proto__")) return value;
    throw new WrongValue(
      offset,
      `${name}: must not have a field named __proto__: use another name`,
    );
  }
  throw new WrongValue(
    offset,
    `${name}: must be a JSON object such as {"phase":1}, not ${shown(value)}`,
  );
}

/** What the last column says counts more than the cells before. */
function moreLast(fields: Row["fields"]): (readonly [string, Located])[] {
  const isMore = ([name]: readonly [string, Located]): boolean => meaningOf(name) === "more";
  const all = [...fields];
  return all.some(isMore) ? [...all.filter((field) => !isMore(field)), ...all.filter(isMore)] : all;
}

/** The fields that `export` writes into one cell, so that a table has no column for each. */
function readMore(
  more: unknown,
  { offset }: Located,
  row: Row,
  parts: Parts,
  notices: Notices,
): void {
  const typed: Row = { ...row, isTextual: false };
  for (const [name, value] of Object.entries(more as object)) {
    // It is exact, unlike the cell.
    parts.offsets.delete(meaningOf(name) ?? "");
    readField(name, { value, offset }, typed, parts, notices);
  }
}

/** A field that the coordinator does not know is kept in the metadata. */
function readOwnField(
  name: string,
  located: Located,
  row: Row,
  parts: Parts,
  notices: Notices,
): void {
  const { value, offset } = located;
  const meant = misspeltName(name);
  if (meant !== undefined) {
    throw new WrongValue(
      offset,
      `unknown field ${shown(name)} (did you mean ${meant}?): rename it`,
    );
  }
  if (name === "__proto__") {
    throw new WrongValue(offset, "a field must not be named __proto__: use another name");
  }
  if (row.isTextual && isNothing(String(value))) return;
  notices.add("kept as metadata", row, name);
  setField(parts.metadata, name, value);
}

function draftOf(row: Row, parts: Parts, notices: Notices): Draft {
  const { fields, offsets, metadata, given, dependencies } = parts;
  const id = idOf(row, given.get("task_id"));
  const status = worded(given.get("status"));
  if (status === "complete" || status === "cancelled") fields.status = status;
  else if (status !== "open") notices.addStatus(status, row, id, sessionIn(given));
  readPeople(status, parts, (name) => {
    const text = `${name} is no session id, so it is left out`;
    notices.addTask(text, row.source, row.offset, id);
  });
  if (Object.keys(metadata).length > 0) fields.metadata = metadata;
  const offset = given.get("task_id")?.offset ?? row.offset;
  return { source: row.source, id, offset, fields, offsets, dependencies, parent: null };
}

function idOf(row: Row, located: Located | undefined): string {
  if (located === undefined) {
    throw new WrongValue(row.offset, "the task has no id: add task_id");
  }
  const text = textOf("task_id", located);
  return row.isTextual ? plainId(text) : text;
}

function worded(located: Located | undefined): WordedStatus {
  if (located === undefined) return "open";
  const status = statusOf(textOf("status", located));
  if (status !== null) return status;
  const cure = `use ${KNOWN_STATUSES}`;
  throw new WrongValue(located.offset, `status: ${shown(located.value)} is unknown: ${cure}`);
}

/** The owner is planned, so it is metadata. A session has done a complete task, or it holds a claimed one. */
function readPeople(
  status: WordedStatus,
  { given, fields, metadata }: Parts,
  onLeftOut: (name: string) => void,
): void {
  const owner = given.get("owner");
  const isNamed =
    owner !== undefined && !(typeof owner.value === "string" && isNothing(owner.value));
  if (isNamed) metadata.owner = owner.value;
  if (status !== "complete" || fields.completed_by !== undefined) return;
  for (const name of ["completed_by", "claimed_by", "owner"] as const) {
    const value = given.get(name)?.value;
    if (typeof value !== "string" || isNothing(value)) continue;
    if (isValidId(value.trim())) fields.completed_by = value.trim();
    else if (name !== "owner") onLeftOut(name);
    return;
  }
}

function sessionIn(given: ReadonlyMap<FieldName, Located>): string | null {
  const value = given.get("claimed_by")?.value;
  return typeof value === "string" && !isNothing(value) ? value : null;
}
