/** The colours of the board. With NO_COLOR there are none. */
import type { TextProps } from "ink";
import { createContext, useContext } from "react";

export type StyleName = "heading" | "good" | "busy" | "bad" | "notice" | "quiet" | "alarm";

type Style = Pick<TextProps, "color" | "bold" | "dimColor" | "inverse">;

const STYLES: Readonly<Record<StyleName, Style>> = {
  heading: { bold: true },
  good: { color: "green" },
  busy: { color: "cyan" },
  bad: { color: "red" },
  notice: { color: "yellow" },
  quiet: { dimColor: true },
  alarm: { color: "red", bold: true, inverse: true },
};

/** Whether styles are used at all. */
export const HasStyles = createContext(true);

export function useStyle(): (name: StyleName | undefined) => Style {
  const hasStyles = useContext(HasStyles);
  return (name) => (name === undefined || !hasStyles ? {} : STYLES[name]);
}
