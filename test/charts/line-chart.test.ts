import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderLineChart } from "../../scripts/charts/line-chart.ts";

const CHART = {
  title: "Memory",
  x: { title: "Time", unit: "s" },
  y: { title: "Resident", unit: "MiB" },
  lines: [
    {
      name: "w1",
      points: [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    },
    {
      name: "w2",
      points: [
        [0, 3],
        [1, null],
        [2, 1],
      ],
    },
  ],
} as const;

/** The paths of a color: `M` goes to a point, `L` draws a line to a point. */
function pathsIn(svg: string, color: string): string[] {
  const paths = [...svg.matchAll(/<path d="([^"]*)"([^>]*)>/g)];
  return paths.flatMap(([, drawn = "", rest = ""]) =>
    rest.includes(`stroke="${color}"`) ? [drawn] : [],
  );
}

describe("a line chart", () => {
  it("is one SVG element with title, axes with units, and a legend", () => {
    const svg = renderLineChart(CHART);
    assert.match(svg, /^<svg [^]*<\/svg>\s*$/);
    for (const text of ["Memory", "Time (s)", "Resident (MiB)", "w1", "w2"]) {
      assert.ok(svg.includes(`>${text}</text>`), `${text} is missing`);
    }
  });

  it("names no unit where there is none", () => {
    const svg = renderLineChart({ ...CHART, y: { title: "Sessions", unit: "" } });
    assert.ok(svg.includes(">Sessions</text>"));
  });

  it("draws each line, broken where a value is missing", () => {
    const svg = renderLineChart(CHART);
    assert.match(pathsIn(svg, "#1f77b4").join(), /^M\S+ \S+L\S+ \S+L\S+ \S+$/);
    assert.match(pathsIn(svg, "#ff7f0e").join(), /^M[^L]+M[^L]+$/);
  });

  it("marks moments with vertical lines", () => {
    const marks = [
      { x: 0.5, name: "kill" },
      { x: 1.5, name: "cut" },
    ];
    const svg = renderLineChart({ ...CHART, marks });
    assert.equal(pathsIn(svg, "#999999").length, 2);
    for (const { name } of marks) assert.ok(svg.includes(`>${name}</text>`));
  });

  it("leaves out values that are not above 0 on a logarithmic axis", () => {
    const lines = [
      {
        name: "w1",
        points: [
          [0, 1],
          [1, 0],
          [2, 1000],
        ] as const,
      },
    ];
    const svg = renderLineChart({ ...CHART, lines, y: { ...CHART.y, scale: "logarithmic" } });
    assert.ok(!/NaN|Infinity/.test(svg));
    assert.ok(svg.includes(">100</text>"));
  });
});
