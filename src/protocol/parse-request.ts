/** Turns a request's bytes into a validated body, or into an error that names the field and the cure. */
import type { z } from "zod";
import { CoordinatorError } from "./errors.ts";
import { bodyHint, fieldHint } from "./hints.ts";
import { describeInexact, inexactPart, isTooDeep, MAX_JSON_DEPTH } from "./storable-json.ts";
import { firstIssueInLists } from "./first-issue.ts";
import { nullDropper } from "./null-fields.ts";
import { type Operation, OPERATION_NAMES, OPERATIONS, type Request } from "./operations.ts";
import { quickBody } from "./quick-request-check.ts";
import { shorten } from "./shorten.ts";

const DROP_NULLS = Object.fromEntries(
  OPERATION_NAMES.map((name) => [name, nullDropper(OPERATIONS[name].request)]),
) as Record<Operation, (json: unknown) => void>;

/** In characters. Most requests are shorter, and zod's issues for the worst of them take some milliseconds. */
const LONG = 16_384;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws CoordinatorError `invalid_request` for bytes that are not UTF-8 */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid("the body is not valid JSON (it is not UTF-8): send a JSON object");
  }
}

/** @throws CoordinatorError `invalid_request` */
export function parseBody<O extends Operation>(operation: O, text: string): Request<O> {
  const json = parseJson(operation, text);
  const { request: schema } = OPERATIONS[operation];
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    const hint = bodyHint(operation, Array.isArray(json));
    throw invalid(`the body must be a JSON object, not ${describe(json)}: send ${hint}`);
  }
  const usual = quickBody(operation, json);
  if (usual !== null) return usual;
  DROP_NULLS[operation](json);
  if (text.length > LONG) {
    const issue = firstIssueInLists(schema, json);
    if (issue !== null) throw explain(operation, issue);
  }
  const parsed = schema.safeParse(json, { reportInput: true });
  if (parsed.success) return parsed.data as Request<O>;
  const [issue] = parsed.error.issues;
  throw issue === undefined ? invalid("the body is invalid") : explain(operation, issue);
}

function parseJson(operation: Operation, text: string): unknown {
  // `nats req tasks.stats ''` sends an empty body: it means a body without fields.
  if (text.trim() === "") return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : "";
    const hint = bodyHint(operation, false);
    throw invalid(`the body is not valid JSON (${shorten(problem)}): send ${hint}`);
  }
  if (isTooDeep(json)) {
    throw invalid(`the body is nested more than ${MAX_JSON_DEPTH} levels deep: flatten it`);
  }
  const inexact = inexactPart(text);
  if (inexact !== null) throw invalidField(inexact.path, describeInexact(inexact));
  return json;
}

function explain(operation: Operation, issue: z.core.$ZodIssue): CoordinatorError {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys") {
    const [name = ""] = issue.keys;
    const field = path === "" ? name : `${path}.${name}`;
    const hint = fieldHint(operation, issue.path, name);
    return invalidField(field, `unknown field "${shorten(field)}"${hint}`);
  }
  return invalidField(path, `${path}: ${problemOf(issue)}`);
}

function problemOf(issue: z.core.$ZodIssue): string {
  const isMissing = issue.input === undefined && issue.code !== "custom";
  const required = isMissing ? "is required and " : "";
  // Our schemas word some errors. For the others, zod's words are replaced by clearer ones.
  const isOurs = !/^(Too (small|big)|Invalid (option|input))/.test(issue.message);
  if (isOurs) return `${required}${issue.message}`;
  if (issue.code === "invalid_type") {
    const given = isMissing ? "" : `, not ${shorten(JSON.stringify(issue.input))}`;
    return `${required}must be ${expected(issue)}${given}`;
  }
  if (issue.code === "too_small") return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === "too_big") return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === "invalid_value") {
    return `${required}must be one of ${issue.values.join(", ")}`;
  }
  return issue.message;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" ? " entries long" : "";
}

function expected(issue: z.core.$ZodIssueInvalidType): string {
  if (issue.expected === "int") return "a whole number";
  return `a value of type ${issue.expected === "record" ? "object" : issue.expected}`;
}

function invalid(message: string): CoordinatorError {
  return new CoordinatorError("invalid_request", message);
}

function invalidField(field: string, message: string): CoordinatorError {
  return new CoordinatorError("invalid_request", message, { details: { field } });
}

function describe(json: unknown): string {
  if (json === null) return "null";
  return Array.isArray(json) ? "an array" : `a ${typeof json}`;
}
