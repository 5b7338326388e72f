/** Attacks on what agents see of each other. Each row has a set-up of its own. */
import type { AttackReport, LeakKind } from "../attack.ts";
import { areThere, changeHiddenTasks, createHiddenTasks } from "../hidden-tasks.ts";
import type { Row, Scene } from "../row.ts";
import type { Finding } from "../verdict.ts";

const OPEN = "without accounts, everyone sees everything";
const MOST_SHOWN = 5;

type Promises = Readonly<Partial<Record<LeakKind, string>>>;

const ALWAYS: Promises = {
  content: "nothing that arrives has payload, metadata, result, error or progress of others",
  reach: "buckets, streams and the subjects of others are out of reach",
};
const WITH_OWN: Promises = {
  definition: "nothing that arrives has the definition or the history of hidden tasks",
  existence: "answers about a hidden task are those about a task that does not exist",
};

function judgeLeaks(promises: Promises): NonNullable<Row["after"]> {
  return async (scene: Scene, { leaks, sent }: AttackReport): Promise<readonly Finding[]> => {
    const findings = Object.entries(promises).map(([kind, promise]): Finding => {
      const found = leaks[kind as LeakKind] ?? [];
      const seen =
        found.length === 0
          ? `${sent} requests`
          : `${found.length} leaks: ${found.slice(0, MOST_SHOWN).join(", ")}`;
      return { promise, holds: found.length === 0, seen };
    });
    const isThere = await areThere(scene);
    const seen = isThere ? "it does" : "it does not, so the row proves nothing";
    return [...findings, { promise: "an operator sees all of it", holds: isThere, seen }];
  };
}

const COMMON = {
  attack: "spying",
  notPromised: { open: OPEN },
  prepare: createHiddenTasks,
  during: async (scene: Scene): Promise<readonly Finding[]> => {
    await changeHiddenTasks(scene);
    return [];
  },
} as const;

export const VISIBILITY: readonly Row[] = [
  {
    ...COMMON,
    name: "visibility-own",
    does: "looks for the tasks of others, whose deployment shows an agent only its own",
    visibility: "own",
    after: judgeLeaks({ ...ALWAYS, ...WITH_OWN }),
  },
  {
    ...COMMON,
    name: "visibility-definitions",
    does: "looks for the contents of others, whose deployment shows an agent only definitions",
    visibility: "definitions",
    after: judgeLeaks(ALWAYS),
  },
];
