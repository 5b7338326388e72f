/** Arbitrary tasks, for tests of how tasks are stored. */
import fc from "fast-check";
import { EVENT_TYPES, type Task, TASK_STATUSES, type TaskEvent } from "../../src/task/task.ts";

export const ORIGIN = { taskId: "P0.5.1", revision: 7, writtenAt: Date.UTC(2025, 10, 12, 17, 30) };

const id = fc.stringMatching(/^[A-Za-z0-9_=/-]{1,9}(\.[A-Za-z0-9_=/-]{1,9}){0,2}$/);
const time = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 4 });
/** Without a negative zero, which JSON does not keep. */
export const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(arbitrary, { nil: null });

/** Objects with the prototype of literals. */
const PLAIN = { noNullPrototype: true };

const event: fc.Arbitrary<TaskEvent> = fc.record(
  {
    type: fc.constantFrom(...EVENT_TYPES),
    oldStatus: orNull(fc.constantFrom(...TASK_STATUSES)),
    newStatus: fc.constantFrom(...TASK_STATUSES),
    claimedBy: orNull(id),
    sessionId: orNull(id),
    reason: orNull(fc.string()),
    timestamp: time,
    principal: orNull(fc.string()),
  },
  PLAIN,
);

const fields = fc
  .dictionary(
    fc.string().filter((name) => name !== "__proto__"),
    json,
  )
  .map((fields): Record<string, unknown> => ({ ...fields }));

export const task: fc.Arbitrary<Task> = fc
  .record(
    {
      taskId: fc.constant(ORIGIN.taskId),
      title: fc.string(),
      description: orNull(fc.string()),
      priority: fc.integer({ min: 0, max: 4 }),
      dependsOn: fc.uniqueArray(id, { maxLength: 4 }),
      requires: names,
      tags: names,
      metadata: fields,
      payload: json,
      maxFailures: fc.integer({ min: 1, max: 1_000_000 }),
      maxLostLeases: fc.integer({ min: 0, max: 1_000_000 }),
      status: fc.constantFrom(...TASK_STATUSES),
      claimedBy: id,
      claimedAt: orNull(time),
      ttlSeconds: orNull(fc.integer({ min: 1, max: 86_400 })),
      claimRequest: orNull(fc.string()),
      claimInstance: orNull(fc.string({ minLength: 1, maxLength: 128 })),
      attempt: fc.nat(),
      fencingToken: fc.nat(),
      leaseEpoch: fc.nat(),
      failures: fc.nat(),
      lostLeases: fc.nat(),
      notBefore: orNull(time),
      cancelRequested: fc.boolean(),
      result: json,
      error: json,
      createdAt: time,
      updatedAt: time,
      completedAt: orNull(time),
      completedBy: orNull(id),
      createdRevision: fc.nat(),
      createdBy: orNull(fc.string()),
      lastEvent: orNull(event),
      unknownFields: orNull(fields),
    },
    PLAIN,
  )
  .map((task): Task => {
    const claimedBy = task.status === "claimed" ? task.claimedBy : null;
    // No known field has such a name.
    const unknown = Object.entries(task.unknownFields ?? {}).map(
      ([k, v]) => [`x-${k}`, v] as const,
    );
    const unknownFields = unknown.length === 0 ? null : Object.fromEntries(unknown);
    return { ...task, claimedBy, unknownFields };
  });
