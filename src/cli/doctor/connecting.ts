/** What is left to check if there is no connection, or no reply can arrive on it. */
import type { AddressFacts } from "../../nats/inspection/address.ts";
import type { Check } from "./checks.ts";
import { type Finding, found } from "./finding.ts";
import type { CheckResult } from "./run-checks.ts";
import { judgeAddresses } from "./verdicts/servers.ts";

/** @param error why there is no connection */
export function judgeFailure(
  checks: readonly Check[],
  addresses: readonly AddressFacts[],
  error: Error,
): CheckResult[] {
  const servers = { check: "servers", findings: judgeAddresses(addresses, false) };
  // If no server answers at all, the first check has said why.
  const answers = addresses.some(({ answer }) => answer.kind === "nats");
  const own = answers ? [{ check: "connection", findings: [judgeConnectError(error)] }] : [];
  return [servers, ...own, ...leftOut(checks, [servers, ...own], "there is no connection")];
}

/** Without replies, no other check can be made. */
export function judgeNoReplies(
  checks: readonly Check[],
  addresses: readonly AddressFacts[],
  refusal: string,
): CheckResult[] {
  const servers = { check: "servers", findings: judgeAddresses(addresses, true) };
  const own = { check: "connection", findings: [found("inbox_refused", refusal)] };
  return [servers, own, ...leftOut(checks, [servers, own], "no reply can arrive")];
}

function leftOut(
  checks: readonly Check[],
  done: readonly CheckResult[],
  why: string,
): CheckResult[] {
  return checks
    .filter(({ name }) => !done.some(({ check }) => check === name))
    .map(({ name }) => ({ check: name, findings: [found("no_answer", `not checked: ${why}`)] }));
}

function judgeConnectError({ message, cause }: Error): Finding {
  if (cause instanceof Error && REFUSALS.includes(cause.name)) {
    return found("login_refused", `the server refuses the login (${cause.message})`);
  }
  return found("not_connected", message);
}

const REFUSALS = ["AuthorizationError", "UserAuthenticationExpiredError"];
