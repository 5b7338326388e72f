/** Draws lines, for example figures over time, as the text of an SVG image. */
import type * as echarts from "echarts";
import { type Mark, renderSvg, seriesOfMarks } from "./svg.ts";

export interface Line {
  readonly name: string;
  /** In the order of x. The line is broken where y is `null`. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

export interface Axis {
  readonly title: string;
  readonly unit: string;
}

export interface LineChart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis & {
    /** Logarithmic: a value that is not above 0 breaks its line. Default: linear. */
    readonly scale?: "linear" | "logarithmic";
  };
  readonly lines: readonly Line[];
  readonly marks?: readonly Mark[];
  readonly width?: number;
  readonly height?: number;
}

const LEGEND_WIDTH = 200;
/** More colors than the palette of the library has, because a run has many processes. */
const COLORS = [
  ...["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"],
  ...["#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#003f5c", "#665191"],
];

/** @returns an `<svg>` element that needs nothing else */
export function renderLineChart(chart: LineChart): string {
  const { width = 1000, height = 320 } = chart;
  return renderSvg(optionOf(chart), width, height);
}

function optionOf({ title, x, y, lines, marks = [] }: LineChart): echarts.EChartsOption {
  const isLogarithmic = y.scale === "logarithmic";
  return {
    animation: false,
    color: COLORS,
    title: { text: title, textStyle: { fontSize: 14 } },
    legend: {
      orient: "vertical",
      right: 0,
      top: 30,
      icon: "rect",
      itemWidth: 14,
      itemHeight: 3,
      textStyle: { fontSize: 11 },
    },
    grid: { left: 80, right: LEGEND_WIDTH, top: 40, bottom: 50 },
    xAxis: { type: "value", name: label(x), nameLocation: "middle", nameGap: 28, max: "dataMax" },
    yAxis: {
      type: isLogarithmic ? "log" : "value",
      name: label(y),
      nameLocation: "middle",
      nameGap: 60,
    },
    series: [
      ...lines.map(({ name, points }) => ({
        name,
        type: "line" as const,
        showSymbol: false,
        lineStyle: { width: 1.2 },
        // With more points than pixels, the library draws those that make the shape.
        sampling: "lttb" as const,
        data: points.map(([at, value]) => [
          at,
          isLogarithmic && !((value ?? 0) > 0) ? null : value,
        ]),
      })),
      seriesOfMarks(marks, "insideEndTop"),
    ],
  };
}

function label({ title, unit }: Axis): string {
  return unit === "" ? title : `${title} (${unit})`;
}
