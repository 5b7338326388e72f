/** What is measured over the time of a run: series of points, each with the rule that judges it. */

/** What belongs into one chart. */
export interface Group {
  readonly title: string;
  readonly unit: string;
  readonly scale?: "linear" | "logarithmic";
}

/** `verdict.ts` says in words what the rules mean. */
export type Rule =
  | {
      readonly kind: "returns";
      /** How far above its level before the load it may end: what is opened and closed all the time. */
      readonly slack: number;
    }
  | {
      readonly kind: "steady";
      /** Growth below this is none: the noise of the figure, in its unit. */
      readonly noise: number;
      /** By when it has had the time to level out, in seconds of load. Default: from the start. */
      readonly levelsAfter?: number;
    };

export interface Series {
  readonly name: string;
  readonly group: Group;
  /** `null`: shown, not judged. */
  readonly rule: Rule | null;
  /** Seconds since the start of the run. What could not be measured is left out. */
  readonly points: (readonly [at: number, value: number])[];
  /** When the process began anew, in seconds: what was measured before says nothing of this one. */
  readonly births: number[];
}

/** All series of a run, in the order in which they came up. */
export class SeriesStore {
  readonly #all = new Map<string, Series>();

  get all(): readonly Series[] {
    return [...this.#all.values()];
  }

  add(of: Pick<Series, "name" | "group" | "rule">, at: number, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    this.#series(of).points.push([at, value]);
  }

  /** Everything that is known of the process begins anew. Its series are those that begin with its name. */
  begunAnew(process: string, at: number): void {
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
