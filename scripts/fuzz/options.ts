/** The options of `npm run fuzz`. */
import { parse } from "../options/command-line.ts";
import { flag, seed, text, whole, workers } from "../options/kinds.ts";

export interface FuzzOptions {
  readonly messages: number;
  readonly seed: number;
  readonly workers: number;
  /** The number of the only message to send, in the run with this seed. */
  readonly only: number | null;
  /** The only message to send, as a run has printed it. */
  readonly replay: string | null;
  /** Whether the sender is an agent with an account of its own, among others. */
  readonly secured: boolean;
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
    secured: flag("sends them as an agent with an account of its own"),
  },
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): FuzzOptions {
  return parse(SCRIPT, args).values;
}

/** As a command takes them. */
export function formatOptions(options: FuzzOptions): string {
  const { messages, seed, only, replay } = options;
  const where = `--workers ${options.workers}${options.secured ? " --secured" : ""}`;
  if (replay !== null) return `${where} --replay ${replay}`;
  const which = only === null ? `--messages ${messages}` : `--only ${only}`;
  return `${which} --seed ${seed} ${where}`;
}
