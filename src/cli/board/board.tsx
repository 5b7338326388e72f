/** The whole board, as one screen of text. */
import { Box } from "ink";
import type { ReactElement } from "react";
import { EventsBlock, HeldBlock, ReadyBlock, SessionsBlock } from "./blocks.tsx";
import { Header } from "./header.tsx";
import { type BlockName, layoutOf, type Size } from "./layout.ts";
import type { BoardView } from "./model.ts";
import { HasStyles } from "./style.tsx";

const BLOCKS = {
  held: HeldBlock,
  ready: ReadyBlock,
  events: EventsBlock,
  sessions: SessionsBlock,
} as const;
/** Between the two columns of a wide screen. */
const GUTTER = 3;

export interface BoardProps {
  readonly view: BoardView;
  readonly size: Size;
  readonly title: string;
  readonly hasStyles: boolean;
}

export function Board({ view, size, title, hasStyles }: BoardProps): ReactElement {
  const layout = layoutOf(size, view);
  const half = Math.floor((size.columns - GUTTER) / 2);
  const columns = layout.isWide ? half : size.columns;
  const block = (name: BlockName): ReactElement | null => {
    const Block = BLOCKS[name];
    const lines = layout.lines[name];
    return lines === 0 ? null : (
      <Block key={name} view={view} lines={lines} columns={columns} hasGap={layout.hasGaps} />
    );
  };
  const column = (names: readonly BlockName[]): ReactElement => (
    <Box flexDirection="column" width={columns} flexShrink={0}>
      {names.map(block)}
    </Box>
  );
  return (
    <HasStyles value={hasStyles}>
      <Box flexDirection="column" width={size.columns} height={size.rows} overflow="hidden">
        <Header view={view} layout={layout} title={title} />
        {layout.isWide ? (
          <Box gap={GUTTER}>
            {column(["ready", "sessions"])}
            {column(["held", "events"])}
          </Box>
        ) : (
          column(["held", "ready", "events", "sessions"])
        )}
      </Box>
    </HasStyles>
  );
}
