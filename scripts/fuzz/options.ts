/** The options of `npm run fuzz`. */
import { parse } from "../options/command-line.ts";
import { seed, text, whole, workers } from "../options/kinds.ts";

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  readonly workers: number;
  /** The number of the only message to send, in the run with this seed. */
  readonly only: number | null;
  /** The only message to send, as a run has printed it. */
  readonly replay: string | null;
}

export const SCRIPT = {
  name: "npm run fuzz",
  does: "Sends garbage to every endpoint of a real coordinator, and proves that it did no harm.",
  options: {
    messages: whole("how many to send", 100_000),
    seed: seed("sends the messages of an earlier run again"),
    workers: workers(1),
    only: whole("sends only the message with this number, and says what came of it", null, {
      shown: "all",
    }),
    replay: text("<base64>", "sends only this message, as a run has printed it", null, {
      shown: "none",
    }),
  },
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): FuzzOptions {
  return parse(SCRIPT, args).values;
}

/** As a command takes them. */
export function formatOptions({ messages, seed, workers, only, replay }: FuzzOptions): string {
  if (replay !== null) return `--workers ${workers} --replay ${replay}`;
  const which = only === null ? `--messages ${messages}` : `--only ${only}`;
  return `${which} --seed ${seed} --workers ${workers}`;
}
