/**
 * How many tasks there may be and how large their records: of all, and of each creator. What is refused here is
 * only what adds something: creates, imports and updates. `reported-content.ts` has the limit of results.
 *
 * Other workers may write at the same time, so a limit can be exceeded by what is under way elsewhere.
 */
import { isOfRole } from "../protocol/subjects.ts";
import type { BucketRoom } from "./bucket-room.ts";
import type { Owned, OwnedTasks } from "./owned-tasks.ts";
import type { ServiceContext } from "./ports.ts";
import type { LimitRules } from "./principal-rules.ts";
import { limitReached } from "./refusals.ts";
import type { ServiceSettings } from "./service-settings.ts";

/** Who adds something to which creator's tasks. */
export interface Addition {
  /** Who sends the request; `null`: the NATS server does not say. */
  readonly principal: string | null;
  /** The creator of the tasks; `null`: nobody is noted. */
  readonly owner: string | null;
}

export const NOTHING_RESERVED = (): void => undefined;

export class OwnershipLimits {
  readonly #owned: OwnedTasks;
  readonly #room: BucketRoom;
  readonly #settings: ServiceSettings;
  readonly #rules: LimitRules | undefined;
  /** What is being written, for all and for each creator. */
  readonly #reserved = new Map<string | null, Owned>();

  /** `rules`: those of principals that have limits of their own. */
  constructor(
    owned: OwnedTasks,
    room: BucketRoom,
    { settings }: Pick<ServiceContext, "settings">,
    rules?: LimitRules,
  ) {
    this.#owned = owned;
    this.#room = room;
    this.#settings = settings;
    this.#rules = rules;
  }

  /**
   * Keeps room for what is about to be written. Call the returned function when it is written or given up.
   *
   * @param recordBytes of the records: with a change, the bucket keeps the earlier record, too
   * @throws CoordinatorError `limit_reached`
   */
  async reserve(addition: Addition, added: Owned, recordBytes: number): Promise<() => void> {
    const { owner } = addition;
    if (added.tasks > 0 || added.bytes > 0) {
      this.#requireAll(added);
      if (owner !== null && !isTrusted(addition)) this.#requireOf(owner, added);
    }
    const names = owner === null ? [null] : [null, owner];
    for (const name of names) this.#keep(name, added, 1);
    const release = (): void => {
      for (const name of names) this.#keep(name, added, -1);
    };
    try {
      if (recordBytes > 0) await this.#room.require(recordBytes);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  #requireAll(added: Owned): void {
    const { tasks, bytes } = this.#settings.owned;
    const after = this.#sum(null, this.#owned.all, added);
    if (added.tasks > 0 && after.tasks > tasks) {
      throw limitReached(
        "limits.tasks",
        tasks,
        "the board has as many tasks as it may have: wait until finished ones are removed, or ask an operator",
      );
    }
    if (after.bytes > bytes) {
      throw limitReached(
        "limits.bytes",
        bytes,
        "the records of the board are as large as they may be: keep large content elsewhere, or ask an operator",
      );
    }
  }

  #requireOf(owner: string, added: Owned): void {
    const { tasksPerPrincipal, bytesPerPrincipal } = this.#settings.owned;
    const own = this.#rules?.limitsOf(owner);
    const tasks = own?.tasks ?? tasksPerPrincipal;
    const bytes = own?.bytes ?? bytesPerPrincipal;
    const after = this.#sum(owner, this.#owned.of(owner), added);
    if (added.tasks > 0 && after.tasks > tasks) {
      throw limitReached(
        "limits.tasks_per_principal",
        tasks,
        `${owner} has created as many tasks as it may own: wait until finished ones are removed, or ask an operator`,
      );
    }
    if (after.bytes > bytes) {
      throw limitReached(
        "limits.bytes_per_principal",
        bytes,
        `the tasks of ${owner} are as large as they may be: keep large content elsewhere, or ask an operator`,
      );
    }
  }

  #sum(name: string | null, owned: Owned, added: Owned): Owned {
    const reserved = this.#reserved.get(name) ?? { tasks: 0, bytes: 0 };
    return {
      tasks: owned.tasks + reserved.tasks + added.tasks,
      bytes: owned.bytes + reserved.bytes + added.bytes,
    };
  }

  #keep(name: string | null, { tasks, bytes }: Owned, sign: 1 | -1): void {
    const before = this.#reserved.get(name) ?? { tasks: 0, bytes: 0 };
    const after = { tasks: before.tasks + sign * tasks, bytes: before.bytes + sign * bytes };
    if (after.tasks === 0 && after.bytes === 0) this.#reserved.delete(name);
    else this.#reserved.set(name, after);
  }
}

/** Operators, and tasks of operators, have only the limits of all. */
function isTrusted({ principal, owner }: Addition): boolean {
  return [principal, owner].some((name) => name !== null && isOfRole(name, "operator"));
}
