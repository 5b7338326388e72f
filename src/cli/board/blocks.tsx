/** The lists of the board: who holds what, the ready queue, the sessions, and the recent events. */
import { Box, Text } from "ink";
import type { ReactElement } from "react";
import { formatDuration } from "../shared/time.ts";
import { clockTime, shortNumber } from "./format.ts";
import type { BoardView, EventView, HeldView, ReadyView } from "./model.ts";
import { type Cell, Row, widthOf } from "./row.tsx";
import type { SessionView } from "./session-table.ts";
import { type StyleName, useStyle } from "./style.tsx";

export interface BlockProps {
  readonly view: BoardView;
  /** Of the list. */
  readonly lines: number;
  /** Of the block. */
  readonly columns: number;
  readonly hasGap: boolean;
}

interface FrameProps extends Omit<BlockProps, "view"> {
  readonly heading: string;
  readonly note?: string | undefined;
  readonly whenEmpty: string;
  readonly rows: readonly (readonly Cell[])[];
}

/** With fewer columns, only the most important cells are shown. */
const NARROW = 50;
const LOADING = "reading the tasks …";

/** A heading and a list. */
function Block({
  heading,
  note,
  whenEmpty,
  rows,
  lines,
  columns,
  hasGap,
}: FrameProps): ReactElement {
  const style = useStyle();
  return (
    <Box
      flexDirection="column"
      flexShrink={0}
      height={lines + (hasGap ? 2 : 1)}
      paddingTop={hasGap ? 1 : 0}
    >
      <Row
        cells={[
          { text: heading, width: heading.length, style: "heading" },
          { text: note ?? "", style: "notice" },
        ]}
      />
      {rows.length === 0 ? <Text {...style("quiet")}>{whenEmpty}</Text> : null}
      {rows.slice(0, lines).map((cells, index) => (
        <Row key={index} cells={cells} gap={columns < NARROW ? 1 : 2} />
      ))}
    </Box>
  );
}

export function HeldBlock({ view, lines, columns, hasGap }: BlockProps): ReactElement {
  const shown = view.held.slice(0, lines);
  const third = Math.floor(columns / 3);
  const widths = {
    id: widthOf(
      shown.map(({ shownId }) => shownId),
      third,
    ),
    holder: widthOf(
      shown.map(({ shownHolder }) => shownHolder),
      third,
    ),
    held: widthOf(
      shown.map(({ heldMs }) => formatDuration(heldMs)),
      6,
    ),
    lease: columns < NARROW ? 0 : widthOf(shown.map(leaseText), 12),
    progress:
      columns < NARROW
        ? 0
        : widthOf(
            shown.map(({ progress }) => progress ?? ""),
            16,
          ),
  };
  const cellsOf = (task: HeldView): Cell[] => [
    { text: task.shownId, width: widths.id },
    { text: task.shownHolder, width: widths.holder, style: "busy" },
    { text: formatDuration(task.heldMs), width: widths.held, alignRight: true },
    { text: leaseText(task), width: widths.lease, style: leaseStyle(task) },
    { text: task.progress ?? "", width: widths.progress },
    {
      text: task.isAskedToStop ? `asked to stop: ${task.title}` : task.title,
      style: task.isAskedToStop ? "notice" : "quiet",
    },
  ];
  return (
    <Block
      heading={`CLAIMED ${shortNumber(view.heldTotal)}`}
      note={view.heldTotal > lines ? "longest first" : undefined}
      whenEmpty={view.isLoading ? LOADING : "no session holds a task"}
      rows={shown.map(cellsOf)}
      lines={lines}
      columns={columns}
      hasGap={hasGap}
    />
  );
}

export function ReadyBlock({ view, lines, columns, hasGap }: BlockProps): ReactElement {
  const shown = view.ready.slice(0, lines);
  const needs = shown.map(needsText);
  const idWidth = widthOf(
    shown.map(({ shownId }) => shownId),
    Math.floor(columns / 3),
  );
  const needsWidth = columns < NARROW ? 0 : widthOf(needs, Math.floor(columns / 3));
  const cellsOf = (task: ReadyView, index: number): Cell[] => [
    { text: `P${task.priority}`, width: 2, style: task.priority === 0 ? "bad" : "quiet" },
    { text: task.shownId, width: idWidth },
    { text: needs[index] ?? "", width: needsWidth, style: task.isStuck ? "notice" : "quiet" },
    { text: task.title, style: "quiet" },
  ];
  const { stuck, isStuckPartial } = view;
  const count = isStuckPartial ? `${stuck} or more` : String(stuck);
  return (
    <Block
      heading={`READY ${shortNumber(view.readyTotal)}`}
      note={stuck > 0 ? `${count} waiting for capabilities` : undefined}
      whenEmpty={view.isLoading || view.readyTotal > 0 ? LOADING : "nothing to claim"}
      rows={shown.map(cellsOf)}
      lines={lines}
      columns={columns}
      hasGap={hasGap}
    />
  );
}

export function SessionsBlock({ view, lines, columns, hasGap }: BlockProps): ReactElement {
  const shown = view.sessions.slice(0, lines);
  const idWidth = widthOf(
    shown.map(({ shownId }) => shownId),
    Math.floor(columns / 2),
  );
  const claims = shown.map(claimsText);
  const cellsOf = (session: SessionView, index: number): Cell[] => [
    { text: session.shownId, width: idWidth, style: session.claims > 0 ? "busy" : undefined },
    { text: claims[index] ?? "", width: widthOf(claims, 14), alignRight: true },
    { text: session.capabilities, style: "quiet" },
  ];
  return (
    <Block
      heading={`SESSIONS ${shortNumber(view.sessionTotal)}`}
      whenEmpty="no session is registered"
      rows={shown.map(cellsOf)}
      lines={lines}
      columns={columns}
      hasGap={hasGap}
    />
  );
}

export function EventsBlock({ view, lines, columns, hasGap }: BlockProps): ReactElement {
  const shown = view.events.slice(0, lines);
  const quarter = Math.floor(columns / 4);
  const widths = {
    time: columns < NARROW ? 0 : 8,
    type: widthOf(
      shown.map(({ type }) => type),
      16,
    ),
    id: widthOf(
      shown.map(({ taskId }) => taskId),
      Math.max(quarter, 12),
    ),
    session: widthOf(
      shown.map(({ session }) => session),
      quarter,
    ),
  };
  const cellsOf = (event: EventView): Cell[] => [
    { text: clockTime(event.at), width: widths.time, style: "quiet" },
    { text: event.type, width: widths.type, style: eventStyle(event.type) },
    { text: event.taskId, width: widths.id },
    { text: event.session, width: widths.session, style: "busy" },
    { text: event.detail, style: "quiet" },
  ];
  return (
    <Block
      heading="EVENTS"
      whenEmpty="none since the board was opened"
      rows={shown.map(cellsOf)}
      lines={lines}
      columns={columns}
      hasGap={hasGap}
    />
  );
}

function leaseText({ leaseMs }: HeldView): string {
  return leaseMs === null ? "" : `lease ${formatDuration(leaseMs)}`;
}

/** Below it, the holder is late: it renews after a third of the lease. */
const LATE_MS = 10_000;

function leaseStyle({ leaseMs }: HeldView): StyleName {
  return leaseMs !== null && leaseMs < LATE_MS ? "bad" : "quiet";
}

function needsText({ requires }: ReadyView): string {
  return requires.length === 0 ? "" : `needs ${requires.join(", ")}`;
}

function claimsText({ claims }: SessionView): string {
  return claims === 1 ? "1 task" : `${shortNumber(claims)} tasks`;
}

function eventStyle(type: string): StyleName | undefined {
  if (type === "completed") return "good";
  if (type === "claimed") return "busy";
  if (type === "failed" || type === "attempt_failed") return "bad";
  return ["expired", "blocked", "cancel_requested", "cancelled"].includes(type)
    ? "notice"
    : undefined;
}
