/**
 * Each field of a definition, with a value that is not its default, through every operation that takes
 * or shows one: a field that one of them forgets would be dropped without an error.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { definition, encodeDefinition } from "../../src/protocol/definition-record.ts";
import type { RequestInput } from "../../src/protocol/operations.ts";
import { DEFINITION_DEFAULTS } from "../../src/task/task.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

type Definition = Required<Pick<RequestInput<"tasks.update">, keyof typeof definition>>;

const DEFAULTS: Definition = encodeDefinition(DEFINITION_DEFAULTS);

const OTHERS: Definition = {
  title: "Say hello",
  description: "To the world",
  priority: 0,
  depends_on: ["some.other.task"],
  requires: ["speech"],
  tags: ["greeting"],
  metadata: { language: "en" },
  payload: { to: "world" },
  max_failures: 7,
  max_lost_leases: 0,
};

const NAMES = Object.keys(definition) as (keyof Definition)[];

function definitionOf(task: Json): Json {
  return Object.fromEntries(NAMES.map((name) => [name, task[name]]));
}

describe("a definition", () => {
  let coordinator: TestCoordinator;
  before(async () => {
    coordinator = await TestCoordinator.start();
  });
  after(() => coordinator[Symbol.asyncDispose]());

  /** What the operations that read it say of the task's definition. */
  async function readings(id: string): Promise<Json[]> {
    const { task } = await coordinator.ok(`tasks.get.${id}`);
    const { tasks } = await coordinator.ok("tasks.list", { prefix: id });
    const { changes } = await coordinator.ok("tasks.changes");
    const { entries } = await coordinator.ok(`tasks.history.${id}`);
    const change = changes.findLast(({ task_id }: Json) => task_id === id);
    return [task, tasks[0], change.task, entries.at(-1).task].map(definitionOf);
  }

  it("has the fields of these tests, and each with a value that is not its default", () => {
    assert.deepEqual(Object.keys(OTHERS), NAMES);
    for (const name of NAMES) assert.notDeepEqual(OTHERS[name], DEFAULTS[name]);
  });

  for (const name of NAMES) {
    const given = { [name]: OTHERS[name] };
    const expected = { ...DEFAULTS, ...given };
    const every = [expected, expected, expected, expected];

    it(`keeps ${name} when a task is created`, async () => {
      const { task } = await coordinator.ok(`tasks.create.created-${name}`, given);
      assert.deepEqual(definitionOf(task), expected);
      assert.deepEqual(await readings(`created-${name}`), every);
    });

    it(`takes ${name} from an update, and changes nothing else`, async () => {
      await coordinator.ok(`tasks.create.updated-${name}`);
      const { task } = await coordinator.ok(`tasks.update.updated-${name}`, given);
      assert.deepEqual(definitionOf(task), expected);
      assert.deepEqual(await readings(`updated-${name}`), every);
      const { task: restored } = await coordinator.ok(`tasks.update.updated-${name}`, {
        [name]: DEFAULTS[name],
      });
      assert.deepEqual(definitionOf(restored), DEFAULTS);
    });

    it(`keeps ${name} of an imported task, and compares it when the import is repeated`, async () => {
      const task_id = `imported-${name}`;
      const again = { tasks: [{ task_id, ...given }] };
      assert.deepEqual((await coordinator.ok("tasks.import", again)).created, [task_id]);
      assert.deepEqual(await readings(task_id), every);
      assert.deepEqual((await coordinator.ok("tasks.import", again)).unchanged, [task_id]);
      const other = { tasks: [{ task_id }] };
      assert.deepEqual((await coordinator.ok("tasks.import", other)).conflicting, [task_id]);
    });
  }
});
