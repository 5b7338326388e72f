/** The options of `npm run fuzz`. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  readonly workers: number;
  /** Only the message with this number of the run with this seed. */
  readonly only: number | null;
  /** Only this message, as a run has printed it. */
  readonly replay: string | null;
}

const USAGE = `npm run fuzz -- [options]
  --messages <n>     how many to send (100000)
  --seed <n>         sends the messages of an earlier run again (drawn by chance)
  --workers <n>      workers, each a process (1)
  --only <n>         sends only the message with this number, and says what came of it
  --replay <base64>  sends only this message, as a run has printed it`;

/** @throws Error with the usage */
export function parseOptions(args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      messages: { type: "string", default: "100000" },
      seed: { type: "string", default: String(randomInt(2 ** 31)) },
      workers: { type: "string", default: "1" },
      only: { type: "string" },
      replay: { type: "string" },
    },
  });
  const options = {
    messages: Number(values.messages),
    seed: Number(values.seed),
    workers: Number(values.workers),
    only: values.only === undefined ? null : Number(values.only),
  };
  const numbers = Object.values(options).filter((value) => value !== null);
  const isValid = numbers.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isValid || options.workers < 1) throw new Error(USAGE);
  return { ...options, replay: values.replay ?? null };
}
