/** Finds files that import each other in a circle, even if they import only types. */
import { importsOf, type SourceFile, targetOf } from "./source-files.ts";

type Graph = ReadonlyMap<string, readonly string[]>;

/** The shortest circle of each file in one, as `a.ts -> b.ts -> a.ts`. Each circle is listed once. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const graph = withoutDeadEnds(
    new Map(
      files.map(({ path, source }) => [
        path,
        importsOf({ path, source }).map(({ specifier }) => targetOf(path, specifier)),
      ]),
    ),
  );
  const circles = [...graph.keys()].flatMap((path) => {
    const circle = shortestCircle(graph, path);
    return circle === null ? [] : [spell(circle)];
  });
  return [...new Set(circles)];
}

/** The files whose imports may lead into a circle. */
function withoutDeadEnds(graph: Graph): Graph {
  const left = new Map(graph);
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const [path, targets] of left) {
      if (!targets.some((target) => left.has(target))) left.delete(path);
    }
  }
  return left;
}

/** The files on the way from this one back to it. */
function shortestCircle(graph: Graph, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const reached = [start];
  for (const path of reached) {
    for (const target of graph.get(path) ?? []) {
      if (target === start) return wayTo(path, cameFrom);
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, path);
      reached.push(target);
    }
  }
  return null;
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end];
  for (let path = cameFrom.get(end); path !== undefined; path = cameFrom.get(path))
    way.unshift(path);
  return way;
}

/** Begins with the file whose name comes first, so that a circle is spelled in one way. */
function spell(circle: readonly string[]): string {
  const first = circle.indexOf([...circle].sort()[0] ?? "");
  const turned = [...circle.slice(first), ...circle.slice(0, first)];
  return [...turned, turned[0]].join(" -> ");
}
