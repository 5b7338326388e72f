/** Runs the checks at the same time. A check that fails does not stop the others. */
import type { Check } from "./checks.ts";
import type { Examination } from "./examination.ts";
import { type Finding, found } from "./finding.ts";

export interface CheckResult {
  readonly check: string;
  readonly findings: readonly Finding[];
}

/** More than the requests of a check take. */
const CHECK_MS = 15_000;

/** The results come in the order of the checks, each as soon as it and those before it are there. */
export async function* runChecks(
  checks: readonly Check[],
  examination: Examination,
): AsyncGenerator<CheckResult, void, undefined> {
  const running = checks.map(async ({ name, needsWorker, examine }) => {
    // These checks may also read all tasks first.
    const limitMs = CHECK_MS + (needsWorker === true ? examination.options.readingMs : 0);
    const findings = await within(limitMs, async () => {
      if (needsWorker === true) {
        const { answer } = await examination.workers();
        if (answer.kind !== "stats")
          return [found("no_answer", "not checked, because no worker answers")];
      }
      return examine(examination);
    });
    return { check: name, findings };
  });
  for (const result of running) yield await result;
}

/** Never rejects. */
async function within(ms: number, examine: () => Promise<Finding[]>): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([found("no_answer", `not checked: no answer within ${ms / 1_000} s`)]);
    }, ms);
  });
  try {
    return await Promise.race([examine(), timeout]);
  } catch (error) {
    return [notChecked(error)];
  } finally {
    clearTimeout(timer);
  }
}

export function notChecked(error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  // An aborted read rejects with a `DOMException` whose message says nothing about what to do.
  if (error instanceof DOMException)
    return found("no_answer", "not checked: the time for reading is over");
  if (isCausedBy(error, ({ name }) => name === "JetStreamNotEnabled"))
    return found(
      "not_permitted",
      "not checked, because this account has no JetStream, and so no buckets",
    );
  return isCausedBy(error, isRefusal)
    ? found("not_permitted", `not checked, because the user may not read it (${message})`)
    : found("no_answer", `not checked: ${message}`);
}

/** Whether the error says that the user is not permitted to ask. */
function isRefusal(error: Error): boolean {
  const isForbidden = "code" in error && error.code === "forbidden";
  return isForbidden || error.name === "PermissionViolationError";
}

function isCausedBy(error: unknown, fits: (cause: Error) => boolean): boolean {
  return error instanceof Error && (fits(error) || isCausedBy(error.cause, fits));
}
