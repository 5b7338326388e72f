import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeTask } from "../../src/protocol/task-record.ts";
import { EVENT_TYPES, isFinished, TASK_STATUSES } from "../../src/task/task.ts";
import { read, section, table } from "../support/markdown.ts";
import { availableTask, claim, written } from "../task/sample-task.ts";
import { followUpTable } from "./follow-up-table.ts";
import { stateTable } from "./state-table.ts";

const DOCUMENT = read("docs/states.md");

describe("docs/states.md", () => {
  it("lists every status and whether it is finished", () => {
    assert.deepEqual(
      table(section(DOCUMENT, "Statuses"), "Status").map(({ Status, Finished }) => [
        Status,
        Finished,
      ]),
      TASK_STATUSES.map((status) => [status, isFinished(status) ? "yes" : "no"]),
    );
  });

  it("says of every command in every status what `transition` answers", () => {
    assert.deepEqual(table(section(DOCUMENT, "Commands"), "Command"), stateTable());
  });

  it("says of every situation what `followUp` answers", () => {
    const part = section(DOCUMENT, "What follows without a request");
    assert.deepEqual(table(part, "Situation"), followUpTable());
  });

  it("lists every event", () => {
    assert.deepEqual(
      table(section(DOCUMENT, "Events"), "Event").map(({ Event }) => Event),
      [...EVENT_TYPES],
    );
  });

  it("has every event in the table of commands, but that of the creation", () => {
    const cells = stateTable().flatMap((row) => Object.values(row));
    assert.deepEqual(
      EVENT_TYPES.filter((type) => !cells.some((cell) => cell.endsWith(`, ${type}`))),
      ["task_created"],
    );
  });

  it("lists every field of an event", () => {
    const event =
      encodeTask(written(availableTask(), claim("s1", { principal: "agent.s1" }))).last_event ?? {};
    assert.deepEqual(
      table(section(DOCUMENT, "Events"), "Field").map(({ Field }) => Field),
      Object.keys(event),
    );
  });
});
