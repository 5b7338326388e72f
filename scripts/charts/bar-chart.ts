/** Draws figures as bars, for comparison, as the text of an SVG image. */
import type * as echarts from "echarts";
import { renderSvg } from "./svg.ts";

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** The text at the end of the bar. */
  readonly label: string;
  /** Whether the bar is highlighted. */
  readonly isOwn: boolean;
}

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  /** From the top to the bottom. */
  readonly bars: readonly Bar[];
}

const WIDTH = 800;
const BAR_HEIGHT = 26;
const MARGINS = { left: 290, right: 90, top: 40, bottom: 46 };
const OWN = "#1f77b4";
const OTHER = "#b0b7bf";

/** @returns an `<svg>` element that needs nothing else */
export function renderBarChart(chart: BarChart): string {
  const height = chart.bars.length * BAR_HEIGHT + MARGINS.top + MARGINS.bottom;
  return renderSvg(optionOf(chart), WIDTH, height);
}

function optionOf({ title, unit, bars }: BarChart): echarts.EChartsOption {
  return {
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, textStyle: { fontSize: 14 } },
    grid: MARGINS,
    xAxis: { type: "value", name: unit, nameLocation: "middle", nameGap: 28 },
    yAxis: { type: "category", data: bars.map(({ name }) => name), inverse: true },
    series: {
      type: "bar",
      data: bars.map(({ value, label, isOwn }) => ({
        value,
        itemStyle: { color: isOwn ? OWN : OTHER },
        label: { show: true, position: "right", formatter: label },
      })),
    },
  };
}
