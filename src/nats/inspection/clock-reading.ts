/** Compares another clock with the one of this machine. */

export interface ClockReading {
  /** How far the other clock is ahead of this one, in milliseconds. */
  readonly aheadMs: number;
  /** The other clock was read at some moment of the round trip, so the difference can be wrong by half of it. */
  readonly errorMs: number;
}

/** @param time of the other clock, read between `sentAt` and `receivedAt` of this one */
export function readClock(time: string, sentAt: number, receivedAt: number): ClockReading {
  return {
    aheadMs: Date.parse(time) - (sentAt + receivedAt) / 2,
    errorMs: (receivedAt - sentAt) / 2,
  };
}
