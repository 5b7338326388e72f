/** The series of points that a run measures, each with the rule that judges it. */

/** The series of one chart. */
export interface Group {
  readonly title: string;
  readonly unit: string;
  readonly scale?: "linear" | "logarithmic";
}

/** `verdict.ts` explains the rules. */
export type Rule =
  | {
      readonly kind: "returns";
      /** How far above its level before the load the series may end. */
      readonly slack: number;
    }
  | {
      readonly kind: "steady";
      /** Growth below this is noise, in the unit of the figure. */
      readonly noise: number;
      /** How long the figure takes to level out, in seconds of load. Default: 0. */
      readonly levelsAfter?: number;
    };

export interface Series {
  readonly name: string;
  readonly group: Group;
  /** `null`: the series is shown, but not judged. */
  readonly rule: Rule | null;
  /** `at` in seconds since the start of the run. What could not be measured is missing. */
  readonly points: (readonly [at: number, value: number])[];
  /** When the process was started again, in seconds. Earlier points say nothing about the new process. */
  readonly births: number[];
}

/** All series of a run, in the order of their first points. */
export class SeriesStore {
  readonly #all = new Map<string, Series>();

  get all(): readonly Series[] {
    return [...this.#all.values()];
  }

  add(of: Pick<Series, "name" | "group" | "rule">, at: number, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    this.#series(of).points.push([at, value]);
  }

  /** The process was started again. Its series are those whose name begins with its name. */
  restarted(process: string, at: number): void {
    for (const series of this.#all.values()) {
      if (series.name === process || series.name.startsWith(`${process} `)) series.births.push(at);
    }
  }

  #series({ name, group, rule }: Pick<Series, "name" | "group" | "rule">): Series {
    const key = `${group.title}/${name}`;
    const known = this.#all.get(key);
    if (known !== undefined) return known;
    const series: Series = { name, group, rule, points: [], births: [] };
    this.#all.set(key, series);
    return series;
  }
}
