/**
 * Brings the records of a chain, level by level. A short chain is read task by task. If the chain is long
 * or wide, the list of all tasks is read instead, because a page of it costs no more than one task does.
 * So 100,000 tasks that block each other take a few hundred requests.
 */
import { BlockingChain, type ChainTask, type Found } from "./blocking-chain.ts";

/** Requests at the same time. */
const CONCURRENCY = 16;
/** More tasks than this are not read one by one. */
export const MAX_SINGLE_READS = 200;

/** How the records are read. */
export interface TaskReader {
  get(id: string): Promise<Found>;
  /** All tasks. */
  pages(): AsyncIterable<readonly ChainTask[]>;
}

export async function loadChain(root: ChainTask, reader: TaskReader): Promise<BlockingChain> {
  const chain = new BlockingChain(root.task_id);
  chain.add(root.task_id, root);
  await readSingly(chain, reader);
  if (chain.wanted.size === 0) return chain;
  await readAll(chain, reader);
  // Not in the list: missing, unreadable, or created just now.
  await readSingly(chain, reader);
  for (const id of [...chain.wanted]) chain.add(id, "missing");
  return chain;
}

/** Reads what is wanted until nothing is left, or the limit is reached. */
async function readSingly(chain: BlockingChain, reader: TaskReader): Promise<void> {
  for (let left = MAX_SINGLE_READS; chain.wanted.size > 0;) {
    if (chain.wanted.size > left) return;
    const batch = [...chain.wanted].slice(0, CONCURRENCY);
    left -= batch.length;
    await Promise.all(
      batch.map(async (id) => {
        chain.add(id, await reader.get(id));
      }),
    );
  }
}

async function readAll(chain: BlockingChain, reader: TaskReader): Promise<void> {
  const seen = new Map<string, ChainTask>();
  for await (const page of reader.pages()) {
    for (const task of page) seen.set(task.task_id, task);
    addSeen(chain, seen);
    if (chain.wanted.size === 0) return;
  }
}

/** What is added can want tasks in turn, and the set of wanted ids grows while it is walked. */
function addSeen(chain: BlockingChain, seen: ReadonlyMap<string, ChainTask>): void {
  for (const id of chain.wanted) {
    const task = seen.get(id);
    if (task !== undefined) chain.add(id, task);
  }
}
