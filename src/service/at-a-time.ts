/** Works on many things with a limit. */

/** Resolves when the work on all of them has ended, at most `count` at a time. Rejects with the first failure. */
export async function forEachAtATime<T>(
  count: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items].reverse();
  const one = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  try {
    await Promise.all(Array.from({ length: count }, one));
  } finally {
    // After a failure, the others begin nothing more.
    left.length = 0;
  }
}
