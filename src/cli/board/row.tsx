/** One line of a list: cells of a fixed width, of which the last one takes what is left. */
import { Box, Text } from "ink";
import type { ReactElement } from "react";
import { type StyleName, useStyle } from "./style.tsx";

/** The characters up to this one take one column: Latin, Greek, Cyrillic, Hebrew, Arabic and others. */
const LAST_NARROW = "\u10FF";

export interface Cell {
  readonly text: string;
  /** In columns of the screen. Without it, the cell takes what is left. 0: the cell is left out. */
  readonly width?: number;
  readonly style?: StyleName | undefined;
  readonly alignRight?: boolean;
}

interface RowProps {
  readonly cells: readonly Cell[];
  /** Spaces between two cells. */
  readonly gap?: number;
}

export function Row({ cells, gap = 2 }: RowProps): ReactElement {
  const style = useStyle();
  return (
    <Box height={1} gap={gap} overflow="hidden">
      {cells.map(({ text, width, style: name, alignRight }, index) =>
        width === 0 ? null : (
          <Box
            key={index}
            {...(width === undefined ? { flexGrow: 1, flexBasis: 0 } : { width, flexShrink: 0 })}
            justifyContent={alignRight === true ? "flex-end" : "flex-start"}
          >
            <Text wrap="truncate" {...style(name)}>
              {text}
            </Text>
          </Box>
        ),
      )}
    </Box>
  );
}

/** The width that a column needs for its texts, at most `most`. */
export function widthOf(texts: readonly string[], most: number): number {
  return Math.min(most, Math.max(0, ...texts.map(columnsOf)));
}

/** Not less than the text needs: characters of other scripts may take two columns. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += character > LAST_NARROW ? 2 : 1;
  return columns;
}
