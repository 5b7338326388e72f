import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { BoardModel } from "../../../src/cli/board/model.ts";
import { Renderer } from "../../../src/cli/board/renderer.tsx";
import { Sessions } from "../../../src/cli/board/session-table.ts";
import { claimedRecord, NOW, taskRecord, taskUpdate } from "./task-record.ts";

const TITLE = "if-coordinator  nats://127.0.0.1:4222";

/** A board with long, wide and hostile texts in every list. */
function fullModel(): BoardModel {
  const model = new BoardModel(NOW);
  const long = "long.".repeat(40);
  model.beginScan();
  const tasks = Array.from({ length: 60 }, (_, index) => [
    taskRecord(`${long}${index}`, {
      title: `漢字 🎉\u001B[2J ${long}`,
      requires: ["gpu", "漢字".repeat(30)],
      created_revision: 2 * index,
    }),
    claimedRecord(`held-${index}`, long, index, {
      created_revision: 2 * index + 1,
      title: "👩‍👩‍👧 family ".repeat(9),
    }),
  ]).flat();
  model.addPage({ tasks, revision: 200 }, true);
  model.setStats({ tasks: { available: 60, claimed: 60 } as never, ready: 60, dead_ends: 3 });
  const sessions = new Sessions();
  sessions.add([{ session_id: long, capabilities: ["漢字".repeat(30)], claims: 60 }]);
  model.setSessions(sessions);
  for (const task of tasks) model.update(taskUpdate(task, { reason: `\u0007${long}` }), NOW);
  return model;
}

function draw(model: BoardModel, columns: number, rows: number, hasStyles = false): string[] {
  const quit = (): void => undefined;
  const renderer = new Renderer({ title: TITLE, hasStyles, keys: null, quit });
  const lines = renderer.draw(model.view(NOW, rows), { columns, rows });
  renderer.stop();
  return [...lines];
}

/** As most terminals count: two columns for characters of East Asia and emoji. */
function columnsOf(line: string): number {
  return Array.from(line).reduce(
    (sum, character) =>
      sum + (/[\u1100-\u115F\u3000-\u9FFF\u{1F300}-\u{1FAFF}]/u.test(character) ? 2 : 1),
    0,
  );
}

describe("the board on a screen", () => {
  for (const [columns, rows] of [
    [40, 12],
    [80, 24],
    [109, 40],
    [110, 30],
    [250, 70],
    [20, 5],
    [1, 1],
  ] as const) {
    it(`of ${columns} x ${rows} fits`, () => {
      const lines = draw(fullModel(), columns, rows);
      assert.ok(lines.length <= rows, `${lines.length} lines`);
      for (const line of lines) {
        assert.ok(columnsOf(line) <= columns, `${columnsOf(line)} columns: ${line}`);
        assert.doesNotMatch(line, /\p{Cc}/u);
      }
    });
  }

  it("of a small terminal shows claims, ready tasks and events", () => {
    const text = draw(fullModel(), 40, 12).join("\n");
    for (const heading of ["CLAIMED 60", "READY 60", "EVENTS"]) assert.ok(text.includes(heading));
    assert.doesNotMatch(text, /SESSIONS/);
    assert.match(text, /blocked 0 available 60 claimed 60/);
  });

  it("of a wide terminal has two columns of lists", () => {
    const lines = draw(fullModel(), 140, 40);
    assert.ok(lines.some((line) => /READY 60 .*CLAIMED 60/.test(line)));
    assert.ok(lines.some((line) => line.includes("SESSIONS 1")));
    assert.match(lines.join("\n"), /blocked 0 \(3 dead ends\) {2}available 60/);
  });

  it("says what waits for a capability that no session has", () => {
    const text = draw(fullModel(), 100, 30).join("\n");
    assert.match(text, /READY 60 {2}60 waiting for capabilities/);
    assert.match(text, /needs gpu, 漢字/);
  });

  it("has no styles if they are not wanted, and the same text", () => {
    const plain = draw(fullModel(), 80, 24);
    const styled = draw(fullModel(), 80, 24, true);
    assert.deepEqual(styled.map(stripVTControlCharacters), plain);
  });

  it("says that the connection is lost", () => {
    const model = fullModel();
    model.setConnection("disconnected", NOW - 12_000);
    assert.match(draw(model, 40, 12)[0] ?? "", /connection lost 12s ago/);
    model.setConnection("no coordinator", NOW - 3_000);
    assert.match(draw(model, 80, 24)[0] ?? "", /no answer for 3s/);
  });

  it("says that it is reading as long as nothing is known", () => {
    const text = draw(new BoardModel(NOW), 80, 24).join("\n");
    assert.match(text, /CLAIMED 0\nreading the tasks …/);
  });
});
