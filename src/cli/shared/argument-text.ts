/** Arguments that are not text. Node replaces what it cannot decode, so the command would act on another text. */
import { UsageError } from "./errors.ts";

const REPLACEMENT = "\ufffd";

/** @throws UsageError */
export function refuseBrokenText(args: readonly string[]): void {
  const place = args.findIndex((arg) => arg.includes(REPLACEMENT));
  if (place === -1) return;
  throw new UsageError(`argument ${place + 1} is not valid UTF-8: "${args[place] ?? ""}"`);
}
