/** The first lines of the board: what it shows and whether it is current, the counts, and the activity. */
import { Box, Text } from "ink";
import type { ReactElement } from "react";
import { TASK_STATUSES, type TaskStatus } from "../../task/task.ts";
import { SLOT_MS, SLOTS, sparkline } from "./activity.ts";
import { formatDuration } from "../shared/time.ts";
import { clockTime, shortNumber } from "./format.ts";
import type { Layout } from "./layout.ts";
import type { BoardView } from "./model.ts";
import { Row } from "./row.tsx";
import { type StyleName, useStyle } from "./style.tsx";

const STYLE_OF: Readonly<Record<TaskStatus, StyleName | undefined>> = {
  blocked: "notice",
  available: undefined,
  claimed: "busy",
  complete: "good",
  failed: "bad",
  cancelled: "quiet",
};
const STATUSES_IN_ONE_OF_TWO_LINES = 3;
/** `10 min`. */
const PERIOD_WIDTH = 6;

export interface HeaderProps {
  readonly view: BoardView;
  readonly layout: Layout;
  /** Where the tasks come from, and the filters. */
  readonly title: string;
}

export function Header({ view, layout, title }: HeaderProps): ReactElement {
  const style = useStyle();
  const { text, name } = stateOf(view);
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Box height={1} justifyContent="space-between">
        <Box flexShrink={1} marginRight={1}>
          <Text wrap="truncate" {...style("heading")}>
            {title}
          </Text>
        </Box>
        <Box flexShrink={0}>
          <Text {...style(name)}>{text}</Text>
        </Box>
      </Box>
      <Counts view={view} layout={layout} />
      {layout.hasActivity ? <ActivityLine view={view} columns={layout.columns} /> : null}
    </Box>
  );
}

function Counts({ view, layout }: Pick<HeaderProps, "view" | "layout">): ReactElement {
  const isNarrow = layout.countLines === 2;
  const lines = isNarrow
    ? [
        TASK_STATUSES.slice(0, STATUSES_IN_ONE_OF_TWO_LINES),
        TASK_STATUSES.slice(STATUSES_IN_ONE_OF_TWO_LINES),
      ]
    : [TASK_STATUSES];
  return (
    <>
      {lines.map((statuses) => (
        <Box key={statuses[0]} height={1} gap={isNarrow ? 1 : 2} overflow="hidden">
          {statuses.map((status) => (
            <Count
              key={status}
              status={status}
              view={view}
              isNarrow={isNarrow}
              hasDeadEnds={layout.isWide}
            />
          ))}
        </Box>
      ))}
    </>
  );
}

interface CountProps {
  readonly status: TaskStatus;
  readonly view: BoardView;
  readonly isNarrow: boolean;
  readonly hasDeadEnds: boolean;
}

function Count({ status, view, isNarrow, hasDeadEnds }: CountProps): ReactElement {
  const style = useStyle();
  const count = view.counts.get(status) ?? 0;
  const number = isNarrow ? shortNumber(count) : count.toLocaleString("en-US");
  return (
    <Box flexShrink={0}>
      <Text {...style("quiet")}>{status} </Text>
      <Text {...style(count === 0 ? "quiet" : STYLE_OF[status])}>
        {view.counts.size === 0 ? "…" : number}
      </Text>
      {status === "blocked" && hasDeadEnds && view.deadEnds > 0 ? (
        <Text {...style("bad")}> ({shortNumber(view.deadEnds)} dead ends)</Text>
      ) : null}
    </Box>
  );
}

function ActivityLine({
  view: { activity },
  columns,
}: {
  readonly view: BoardView;
  readonly columns: number;
}): ReactElement {
  const gap = 2;
  const rate = `completed ${shortNumber(activity.completedLastMinute)}/min`;
  const failures = `failed ${shortNumber(activity.failedLastMinute)}/min`;
  const left = columns - rate.length - failures.length - PERIOD_WIDTH - 3 * gap;
  const width = Math.max(0, Math.min(SLOTS, left));
  const minutes = Math.round((width * SLOT_MS) / 60_000);
  return (
    <Row
      gap={gap}
      cells={[
        { text: rate, width: rate.length },
        { text: sparkline(activity.completed, width), width, style: "good" },
        { text: `${minutes} min`, width: PERIOD_WIDTH, style: "quiet" },
        {
          text: failures,
          style: activity.failedLastMinute > 0 ? "bad" : "quiet",
        },
      ]}
    />
  );
}

function stateOf({ connection, connectionMs, now }: BoardView): {
  readonly text: string;
  readonly name: StyleName;
} {
  const since = formatDuration(connectionMs);
  switch (connection) {
    case "connected":
      return { text: `${clockTime(now)}  q quits`, name: "quiet" };
    case "disconnected":
      return { text: ` connection lost ${since} ago `, name: "alarm" };
    case "no coordinator":
      return { text: ` no answer for ${since} `, name: "alarm" };
  }
}
