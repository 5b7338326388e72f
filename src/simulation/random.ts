/** Repeatable random numbers: the same seed gives the same sequence. */

/** A number from 0 up to, but not including, 1. */
export type Random = () => number;

/** The mulberry32 generator. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A separate generator for the n-th user of one seed. */
export function createRandomFor(seed: number, n: number): Random {
  return createRandom(seed ^ Math.imul(n + 1, 0x9e3779b1));
}
