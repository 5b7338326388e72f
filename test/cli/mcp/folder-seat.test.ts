/** The seats of a folder, when many servers start at once after others were killed. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { sessionOfFolder } from "../../../src/config/agent-session.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const FOLDER = "/projects/app";
const NAME = sessionOfFolder(FOLDER);
const PROCESSES = 12;
const ROUNDS = 8;

/** Takes a seat at each message. */
const PROGRAM = `
import { removeAbandonedSeats, takeSeat } from ${JSON.stringify(new URL("../../../src/cli/mcp/folder-seat.js", import.meta.url))};
let seat;
process.on("message", (what) => {
  if (what === "take") {
    removeAbandonedSeats();
    seat = takeSeat(${JSON.stringify(FOLDER)});
    process.send(seat.session);
  } else {
    seat.leave();
    process.disconnect();
  }
});
process.send("ready");
`;

async function start(temp: TempFolder): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
    env: { ...process.env, TMPDIR: temp.path, HOME: temp.path },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await once(child, "message");
  return child;
}

async function answerTo(child: ChildProcess, message: string): Promise<unknown> {
  const answer = once(child, "message");
  child.send(message);
  return ((await answer) as unknown[])[0];
}

/** Of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

describe("servers that start in one folder at once", () => {
  it("take a seat each, also those of killed servers, and leave nothing", async (t) => {
    await using temp = await TempFolder.create();
    const place = join(temp.path, `if-coordinator-${process.getuid?.() ?? "user"}`);
    const seats = join(place, "agents");
    const children = await Promise.all(Array.from({ length: PROCESSES }, () => start(temp)));
    t.after(() => {
      for (const child of children) child.kill("SIGKILL");
    });
    const expected = children.map((_, index) => (index === 0 ? NAME : `${NAME}-${index + 1}`));
    const dead = await deadPid();
    for (let round = 1; round <= ROUNDS; round++) {
      const taken = await Promise.all(children.map((child) => answerTo(child, "take")));
      assert.deepEqual(taken.sort(), [...expected].sort(), `round ${round}`);
      if (round === ROUNDS) break;
      // As if all of them were killed, two in the middle of a start.
      for (const session of expected) writeFileSync(join(seats, session), String(dead));
      writeFileSync(join(seats, `${dead}.turn`), "");
      writeFileSync(join(seats, `${process.pid}.turn`), "");
      writeFileSync(join(seats, `${NAME}.1.tmp`), String(dead));
      const long = Date.now() / 1_000 - 3_600;
      for (const name of [`${process.pid}.turn`, `${NAME}.1.tmp`]) {
        utimesSync(join(seats, name), long, long);
      }
    }
    assert.deepEqual(readdirSync(seats).sort(), [...expected].sort());
    const ended = children.map((child) => once(child, "exit"));
    for (const child of children) child.send("leave");
    await Promise.all(ended);
    assert.deepEqual(readdirSync(temp.path), []);
  });
});
