/** Verdicts on the audit. */
import type { AuditFacts } from "../../../nats/inspection/audit-facts.ts";
import { count, type Finding, found, ok } from "../finding.ts";

/** @param isOn whether the workers keep an audit; `null` if they do not say it */
export function judgeAudit(isOn: boolean | null, facts: AuditFacts | null): Finding[] {
  if (isOn !== true && facts === null) {
    return [ok("the workers keep none, because auth.mode is open or audit.enabled is false")];
  }
  if (facts === null) {
    return [found("audit_missing", "the workers keep an audit, but there is no stream AUDIT")];
  }
  const { messages, bytes, maxBytes, since } = facts;
  const age = since === null ? "" : ` since ${since.slice(0, 10)}`;
  const share = maxBytes > 0 ? `, ${Math.round((100 * bytes) / maxBytes)} % of its bytes` : "";
  const end = isOn === false ? "; the workers add nothing" : "";
  return [ok(`${count(messages, "message")}${age}${share}${end}`)];
}
