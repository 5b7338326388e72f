/**
 * How much the results and errors that each agent has reported have added to the records of tasks, and whether
 * they may add more. The tasks mostly belong to others, so the limits of what an agent owns do not bound it.
 *
 * Counted is what this worker has seen since its start, for as long as it is in the record. Small results are
 * neither counted nor refused.
 */
import { isOfRole } from "../protocol/subjects.ts";
import { Counts } from "./counts.ts";
import type { ServiceContext } from "./ports.ts";
import type { LimitRules } from "./principal-rules.ts";
import { limitReached } from "./refusals.ts";
import { nameIn } from "./session-name.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";

/** The holder of a claim can always end it with this much. */
const SMALL_BYTES = 1_024;

/** Who reports. */
export interface Reporter {
  readonly sessionId: string;
  /** `null`: the NATS server does not say. */
  readonly principal: string | null;
}

interface Report {
  readonly name: string;
  readonly bytes: number;
  /** The size of the record without it. */
  readonly without: number;
}

export class ReportedContent {
  readonly #index: TaskIndex;
  readonly #settings: ServiceContext["settings"];
  readonly #rules: LimitRules | undefined;
  readonly #reports = new Map<string, Report>();
  readonly #byName = new Counts();

  constructor(
    index: TaskIndex,
    { settings }: Pick<ServiceContext, "settings">,
    rules?: LimitRules,
  ) {
    this.#index = index;
    this.#settings = settings;
    this.#rules = rules;
    index.onChange((change) => {
      this.#changed(change);
    });
  }

  /** @throws CoordinatorError `limit_reached` */
  requireRoom({ sessionId, principal }: Reporter, taskId: string, recordBytes: number): void {
    if (principal !== null && isOfRole(principal, "operator")) return;
    // 0: the size is not known.
    const before = this.#index.get(taskId)?.bytes ?? 0;
    const added = before === 0 ? 0 : recordBytes - before;
    if (added <= SMALL_BYTES) return;
    const { bytesPerPrincipal } = this.#settings.owned;
    const own = principal === null ? undefined : this.#rules?.limitsOf(principal)?.bytes;
    const most = own ?? bytesPerPrincipal;
    const name = nameIn(sessionId);
    if (this.#byName.of(name) + added <= most) return;
    throw limitReached(
      "limits.bytes_per_principal",
      most,
      `the results and errors of ${name} are as large as they may be together: report at most ` +
        `${SMALL_BYTES} bytes, and keep large content elsewhere, or ask an operator`,
    );
  }

  #changed({ taskId, before, after }: TaskChange): void {
    const known = this.#reports.get(taskId);
    if (known !== undefined && (after === null || after.bytes <= known.without + SMALL_BYTES)) {
      this.#reports.delete(taskId);
      this.#byName.add(known.name, -known.bytes);
    }
    // A claim ends with a result or an error. What a holder changes before is progress, which is not in the record.
    if (before === null || after === null || before.claimedBy === null || before.bytes === 0)
      return;
    if (after.claimedBy !== null || this.#reports.has(taskId)) return;
    const bytes = after.bytes - before.bytes;
    if (bytes <= SMALL_BYTES) return;
    const name = nameIn(before.claimedBy);
    this.#reports.set(taskId, { name, bytes, without: before.bytes });
    this.#byName.add(name, bytes);
  }
}
