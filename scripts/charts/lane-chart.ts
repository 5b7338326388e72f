/** Draws spans of time in lanes, as the text of an SVG image. */
import type * as echarts from "echarts";
import type { Axis } from "./line-chart.ts";
import { type Mark, renderSvg, seriesOfMarks } from "./svg.ts";

export interface Span {
  readonly lane: string;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly color: string;
}

export interface LaneChart {
  readonly title: string;
  readonly x: Axis;
  /** From the top to the bottom. */
  readonly lanes: readonly string[];
  readonly spans: readonly Span[];
  readonly marks?: readonly Mark[];
  readonly width?: number;
}

const LANE_HEIGHT = 26;
const MARGINS = { left: 90, right: 120, top: 60, bottom: 50 };
/** Keeps a span without length visible. */
const NARROWEST = 2;

/** @returns an `<svg>` element that needs nothing else */
export function renderLaneChart(chart: LaneChart): string {
  const { width = 1800, lanes } = chart;
  const height = lanes.length * LANE_HEIGHT + MARGINS.top + MARGINS.bottom;
  return renderSvg(optionOf(chart), width, height);
}

function optionOf({ title, x, lanes, spans, marks = [] }: LaneChart): echarts.EChartsOption {
  return {
    animation: false,
    title: { text: title, textStyle: { fontSize: 14 } },
    grid: MARGINS,
    xAxis: {
      type: "value",
      name: `${x.title} (${x.unit})`,
      nameLocation: "middle",
      nameGap: 28,
      min: ({ min }) => Math.floor(min),
      max: ({ max }) => Math.ceil(max),
    },
    yAxis: { type: "category", data: [...lanes], inverse: true, splitLine: { show: true } },
    series: [
      {
        type: "custom",
        renderItem: (_, api) => draw(spans[Number(api.value(3))], api),
        encode: { x: [1, 2], y: 0 },
        data: spans.map(({ lane, from, to }, i) => [lanes.indexOf(lane), from, to, i]),
      },
      seriesOfMarks(marks, "start"),
    ],
  };
}

function draw(
  span: Span | undefined,
  api: echarts.CustomSeriesRenderItemAPI,
): echarts.CustomSeriesRenderItemReturn {
  const [left = 0, middle = 0] = api.coord([api.value(1), api.value(0)]);
  const [right = 0] = api.coord([api.value(2), api.value(0)]);
  const height = LANE_HEIGHT - 8;
  const top = middle - height / 2;
  const width = Math.max(right - left, NARROWEST);
  return {
    type: "group",
    children: [
      {
        type: "rect",
        shape: { x: left, y: top, width, height },
        style: { fill: span?.color ?? "", opacity: 0.7 },
      },
      {
        type: "text",
        style: { text: span?.label ?? "", x: left + 2, y: top + 3, fontSize: 9, fill: "#000000" },
      },
    ],
  };
}
