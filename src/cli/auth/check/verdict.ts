/** What an attempt of `auth check` shows. */
import type { Outcome } from "../../../nats/access-attempts.ts";

export interface Verdict {
  /** Whether the result is as it should be. */
  readonly isGood: boolean;
  /** What happened, in a few words. */
  readonly result: string;
}

export interface Row extends Verdict {
  readonly attempt: string;
  /** What to do; only for a result that is not good. */
  readonly cure?: string;
}

/** A request to the coordinator must be answered with `forbidden`, or reach nobody. */
export function mustBeForbidden(outcome: Outcome): Verdict {
  if (outcome.kind !== "answered") return mustReachNobody(outcome);
  const code = codeOf(outcome.text);
  if (code === "forbidden") return { isGood: true, result: "refused: forbidden" };
  return { isGood: false, result: code === null ? "it worked" : `accepted: answered ${code}` };
}

export function mustReachNobody(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case "unreachable":
      return { isGood: true, result: `refused: ${outcome.reason}` };
    case "silent":
      return { isGood: true, result: "no answer" };
    case "answered":
      return { isGood: false, result: "it was answered" };
  }
}

/** An account without JetStream is told so. Any other answer comes from JetStream. */
export function mustHaveNoJetStream(outcome: Outcome): Verdict {
  if (outcome.kind === "answered" && NO_JETSTREAM.test(outcome.text)) {
    return { isGood: true, result: "refused: no JetStream in this account" };
  }
  return mustReachNobody(outcome);
}

/** `JSNotEnabledForAccountErr` and `JSNotEnabledErr` of nats-server. */
const NO_JETSTREAM = /"err_code":\s*(10039|10076)\b/;

export function mustWork(outcome: Outcome): Verdict {
  if (outcome.kind !== "answered") {
    const why = outcome.kind === "silent" ? "no answer" : outcome.reason;
    return { isGood: false, result: why };
  }
  const code = codeOf(outcome.text);
  return { isGood: code === null, result: code === null ? "it works" : `refused: ${code}` };
}

/** An operator's request is carried out, although it finds nothing to do. */
export function mustBeAllowed(outcome: Outcome): Verdict {
  const { isGood, result } = mustWork(outcome);
  const code = outcome.kind === "answered" ? codeOf(outcome.text) : null;
  const isAllowed = code !== null && code !== "forbidden";
  return { isGood: isGood || isAllowed, result: isAllowed ? "allowed" : result };
}

export function mustNotHear(hasHeard: boolean): Verdict {
  return { isGood: !hasHeard, result: hasHeard ? "it was received" : "nothing was received" };
}

/** The code of a refusal of the coordinator; `null`: it is none. */
function codeOf(text: string): string | null {
  try {
    const { ok, error } = JSON.parse(text) as { ok?: unknown; error?: { code?: unknown } };
    return ok === false && typeof error?.code === "string" ? error.code : null;
  } catch {
    return null;
  }
}
