/**
 * Which parts of the board a screen shows, and how many lines each gets. Everything fits: a small screen loses
 * the sessions and the activity first.
 */
import type { BoardView } from "./model.ts";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type BlockName = "held" | "ready" | "events" | "sessions";

export interface Layout extends Size {
  /** Two columns of blocks. */
  readonly isWide: boolean;
  /** Lines of the counts: two on a narrow screen. */
  readonly countLines: 1 | 2;
  readonly hasActivity: boolean;
  readonly hasGaps: boolean;
  /** The lines of each block's list, without its heading. 0: the block is not shown. */
  readonly lines: Readonly<Record<BlockName, number>>;
}

const WIDE_COLUMNS = 110;
/** The counts in full need this. */
const ONE_LINE_COLUMNS = 86;
const ACTIVITY_ROWS = 16;
const GAP_ROWS = 22;
const MIN_LINES = 2;

/** The most important block first. */
const STACK: readonly BlockName[] = ["held", "ready", "events", "sessions"];
const LEFT: readonly BlockName[] = ["ready", "sessions"];
const RIGHT: readonly BlockName[] = ["held", "events"];

type Lengths = Readonly<Record<BlockName, number>>;

export function layoutOf({ columns, rows }: Size, view: BoardView): Layout {
  const isWide = columns >= WIDE_COLUMNS;
  const countLines = columns >= ONE_LINE_COLUMNS ? 1 : 2;
  const hasActivity = rows >= ACTIVITY_ROWS;
  const hasGaps = rows >= GAP_ROWS;
  const lengths: Lengths = {
    held: view.held.length,
    ready: view.ready.length,
    events: view.events.length,
    sessions: view.sessions.length,
  };
  const left = rows - 1 - countLines - (hasActivity ? 1 : 0);
  const fill = (names: readonly BlockName[]): Partial<Lengths> =>
    share(left, names, lengths, hasGaps ? 2 : 1);
  const lines = { held: 0, ready: 0, events: 0, sessions: 0 };
  Object.assign(lines, isWide ? { ...fill(LEFT), ...fill(RIGHT) } : fill(STACK));
  return { columns, rows, isWide, countLines, hasActivity, hasGaps, lines };
}

/**
 * Gives each block a few lines as long as there are some, then one line after the other to each block that has
 * more to show.
 *
 * @param overhead lines of a block in addition to its list
 */
function share(
  available: number,
  names: readonly BlockName[],
  lengths: Lengths,
  overhead: number,
): Partial<Lengths> {
  const lines: Partial<Record<BlockName, number>> = {};
  let left = available;
  for (const name of names) {
    const wanted = Math.min(MIN_LINES, left - overhead);
    if (wanted < 1) break;
    lines[name] = wanted;
    left -= wanted + overhead;
  }
  for (let given = true; left > 0 && given;) {
    given = false;
    for (const name of names) {
      const has = lines[name];
      if (has === undefined || has >= lengths[name] || left === 0) continue;
      lines[name] = has + 1;
      left--;
      given = true;
    }
  }
  return lines;
}
