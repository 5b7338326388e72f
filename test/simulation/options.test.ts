import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  DEFAULT_FILE,
  type GivenOptions,
  parseOptions,
  SimulationOptionError,
} from "../../src/simulation/options.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { readTaskFile } from "../../src/simulation/task-file.ts";
import { TempFolder } from "../support/temp-folder.ts";

function refuses(given: GivenOptions, message: RegExp): void {
  assert.throws(
    () => parseOptions(given),
    (error) => error instanceof SimulationOptionError && message.test(error.message),
  );
}

describe("the options of a simulation", () => {
  it("have the defaults of the demo, and a random seed for each run", () => {
    const { seed, ...options } = parseOptions({});
    assert.deepEqual(options, {
      sessions: 20,
      workers: 3,
      crashRate: 0,
      failRate: 0,
      file: DEFAULT_FILE,
    });
    assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32);
  });

  it("are parsed from the texts of the command line", () => {
    const given = { sessions: "5", workers: "1", crashRate: "0.1", failRate: "0.25", seed: "7" };
    assert.deepEqual(parseOptions({ ...given, file: "tasks.json" }), {
      sessions: 5,
      workers: 1,
      crashRate: 0.1,
      failRate: 0.25,
      seed: 7,
      file: "tasks.json",
    });
  });

  it("are refused with the name of the option and its limits", () => {
    refuses({ sessions: "0" }, /^--sessions must be a whole number from 1 to 2000, not "0"$/);
    refuses({ workers: "2.5" }, /^--workers must be a whole number/);
    refuses({ crashRate: "lots" }, /^--crash-rate must be a number from 0 to 0.9, not "lots"$/);
    refuses({ failRate: "1" }, /^--fail-rate/);
    refuses({ seed: "" }, /^--seed/);
    refuses({ crashRate: "0.5", failRate: "0.5" }, /^--crash-rate and --fail-rate/);
  });
});

describe("the file of tasks", () => {
  it("is the project in the package unless another file is named", async () => {
    const tasks = await readTaskFile(DEFAULT_FILE);
    assert.equal(tasks.length, 397);
    assert.equal(tasks.flatMap((task) => task.depends_on ?? []).length, 908);
  });

  it("is named in the error if it cannot be read", async () => {
    await assert.rejects(readTaskFile("no-such-file.json"), {
      name: "SimulationOptionError",
      message: /^--file no-such-file\.json cannot be read: ENOENT/,
    });
  });
});

describe("a file of tasks with a number that cannot be kept", () => {
  it("is refused with its place", async () => {
    await using folder = await TempFolder.create();
    const path = join(folder.path, "tasks.json");
    await writeFile(path, '{"tasks":[{"task_id":"a","payload":9007199254740993}]}');
    await assert.rejects(readTaskFile(path), {
      name: "SimulationOptionError",
      message: /tasks\.json:1:36: the number 9007199254740993 would become 9007199254740992/,
    });
  });
});

describe("the random numbers of a simulation", () => {
  const draw = (seed: number, n: number): number[] =>
    Array.from({ length: 1_000 }, createRandomFor(seed, n));

  it("repeat only for the same seed and session", () => {
    assert.deepEqual(draw(1, 1), draw(1, 1));
    assert.notDeepEqual(draw(1, 1), draw(1, 2));
    assert.notDeepEqual(draw(1, 1), draw(2, 1));
  });

  it("are spread evenly between 0 and 1", () => {
    const values = draw(42, 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(Math.abs(mean - 0.5) < 0.05, `the mean is ${mean}`);
    assert.ok(values.every((value) => value >= 0 && value < 1));
  });
});
