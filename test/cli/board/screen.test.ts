import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { WriteStream } from "node:tty";
import { Screen } from "../../../src/cli/board/screen.ts";
import { showBoard } from "../../../src/cli/board/show-board.ts";

/** What a terminal is asked to do first and last: the alternate screen, the cursor. */
const ENTER = "\u001B[?1049h\u001B[?25l";
const LEAVE = "\u001B[?25h\u001B[?1049l";

/** A terminal that keeps what was written. */
class FakeTerminal extends PassThrough {
  columns = 80;
  rows = 24;
  written = "";

  override write(chunk: string): boolean {
    this.written += chunk;
    return true;
  }

  get stream(): WriteStream {
    return this as unknown as WriteStream;
  }
}

describe("the screen of the board", () => {
  it("writes only the lines that have changed", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal.stream);
    screen.show(["first", "second"]);
    terminal.written = "";
    screen.show(["first", "other"]);
    assert.match(terminal.written, /2;1H\S*other/);
    assert.doesNotMatch(terminal.written, /first|second/);
    terminal.written = "";
    screen.show(["first", "other"]);
    assert.equal(terminal.written, "");
  });

  it("erases the lines that are no longer there", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal.stream);
    screen.show(["first", "second"]);
    terminal.written = "";
    screen.show(["first"]);
    assert.ok(terminal.written.includes("\u001B[2;1H\u001B[2K"));
  });

  it("writes everything again after a resize", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal.stream);
    screen.show(["first"]);
    terminal.written = "";
    screen.clear();
    screen.show(["first"]);
    assert.match(terminal.written, /first/);
  });

  it("leaves the terminal once, and only if it has entered it", () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal.stream);
    screen.leave();
    assert.equal(terminal.written, "");
    screen.enter();
    screen.leave();
    screen.leave();
    assert.ok(terminal.written.startsWith(ENTER));
    assert.equal(terminal.written.split(LEAVE).length, 2);
  });

  it("has a usual size if the terminal does not know its own", () => {
    const terminal = new FakeTerminal();
    terminal.columns = 0;
    assert.deepEqual(new Screen(terminal.stream).size, { columns: 80, rows: 24 });
  });
});

describe("a board that cannot go on", () => {
  it("rejects with the reason, and leaves the terminal as it was", async () => {
    const terminal = new FakeTerminal();
    const never = new Promise<never>(() => undefined);
    const stats = (): Promise<never> => Promise.reject(new Error("broken"));
    const broken = { tasks: { stats }, run: () => never };
    const shown = showBoard({
      ...{ coordinator: broken as never, isConnected: () => true },
      ...{ terminal: terminal.stream, keys: null, title: "", hasStyles: false },
      ...{ prefix: "", since: 0, wantsEvent: () => true, wantsSession: () => true },
      problem: () => undefined,
      interrupted: never,
    });
    await assert.rejects(shown, /broken/);
    assert.ok(terminal.written.startsWith(ENTER));
    assert.ok(terminal.written.endsWith(LEAVE));
  });
});
