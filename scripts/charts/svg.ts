/** What all charts have in common: the conversion to text, and marks. */
import * as echarts from "echarts";

/** A vertical line with a name, for example of a fault. */
export interface Mark {
  readonly x: number;
  readonly name: string;
}

const MARK_COLOR = "#999999";

/** @returns an `<svg>` element that needs nothing else */
export function renderSvg(option: echarts.EChartsOption, width: number, height: number): string {
  const canvas = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    canvas.setOption(option);
    return canvas.renderToSVGString();
  } finally {
    canvas.dispose();
  }
}

/** A separate series, so that marks are drawn without other data. Without a name it is in no legend. */
export function seriesOfMarks(
  marks: readonly Mark[],
  position: "start" | "insideEndTop",
): echarts.LineSeriesOption {
  return {
    type: "line",
    data: [],
    markLine: {
      silent: true,
      symbol: "none",
      label: { formatter: "{b}", position, fontSize: 9, color: MARK_COLOR },
      lineStyle: { color: MARK_COLOR, type: "dashed", width: 1 },
      data: marks.map(({ x: xAxis, name }) => ({ xAxis, name })),
    },
  };
}
