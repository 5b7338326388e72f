/** Checks that an answer is what docs/protocol.md and docs/errors.md promise. */
import { ERRORS, type ErrorCode } from "../../src/protocol/errors.ts";
import { type Operation, OPERATIONS } from "../../src/protocol/operations.ts";
import type { Code } from "./expectation.ts";
import type { Arrived } from "./wire.ts";

export interface Judged {
  /** For the counts: `ok`, an error code, or a description of something else. */
  readonly outcome: string;
  /** `null`: nothing is wrong. */
  readonly problem: string | null;
  readonly json: Readonly<Record<string, unknown>> | null;
}

/** @param expected.operation `null` for the refusal of an operation that does not exist */
export function judgeAnswer(
  { headers, payload }: Arrived,
  expected: { readonly operation: Operation | null; readonly codes: readonly Code[] },
): Judged {
  const { operation, codes } = expected;
  if (isNobody(headers, payload)) return wrong("no responders", "no worker listens");
  const text = payload.toString();
  const json = parseObject(text);
  if (json === null) return wrong("no JSON", `the answer is no JSON object: ${text.slice(0, 200)}`);
  const code = codeOf(json);
  if (code === null) return wrong("no code", `neither ok nor an error: ${text.slice(0, 200)}`);
  const judged = (problem: string | null): Judged => ({ outcome: code, problem, json });
  if (!codes.includes(code)) {
    return judged(`answered ${text.slice(0, 300)} instead of ${codes.join(" or ")}`);
  }
  if (code === "ok") {
    if (operation === null) return judged(null);
    const parsed = OPERATIONS[operation].reply.safeParse(json);
    return judged(parsed.success ? null : `not what ${operation} answers: ${text.slice(0, 300)}`);
  }
  return judged(errorProblem(code, json.error as Record<string, unknown>, headers));
}

function errorProblem(
  code: ErrorCode,
  error: Readonly<Record<string, unknown>>,
  headers: string,
): string | null {
  const { status, retryable } = ERRORS[code];
  if (error.retryable !== retryable) return `${code} with retryable ${String(error.retryable)}`;
  if (typeof error.message !== "string" || error.message === "") return `${code} has no message`;
  for (const line of [`Nats-Service-Error-Code: ${status}`, `Nats-Service-Error: ${code}`]) {
    if (!headers.includes(`\r\n${line}\r\n`)) return `${code} lacks the header ${line}`;
  }
  return null;
}

/** The answer of NATS if nobody listens. */
export function isNobody(headers: string, payload: Buffer): boolean {
  return payload.length === 0 && headers.startsWith("NATS/1.0 503");
}

export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(text);
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    return isObject ? (json as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function codeOf({ ok, error }: Readonly<Record<string, unknown>>): Code | null {
  if (ok === true) return "ok";
  if (ok !== false || typeof error !== "object" || error === null) return null;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : null;
}

function wrong(outcome: string, problem: string): Judged {
  return { outcome, problem, json: null };
}
