/** Attacks that read more than anybody needs. */
import type { Asker } from "../asker.ts";
import type { Row } from "../row.ts";

const LARGE_TASK = { payload: { text: "x".repeat(60 * 1024) } };
const AT_ONCE = 16;

/** Creates tasks of 60 KiB, as an operator may have them. */
async function createLargeTasks(operator: Asker, count: number): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) await operator.must(`tasks.create.large.${next++}`, LARGE_TASK);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
}

export const READS: readonly Row[] = [
  {
    name: "changes",
    does: "reads 1,000 changes at a time, over tasks of 60 KiB, in 4 loops",
    attack: "changes",
    prepare: ({ operator, short }) => createLargeTasks(operator, short ? 400 : 1_000),
  },
];
