/** Whether the messages of `dev` and `serve` are JSON, as their log is. */

/** Whether the command line has `--log-format json`. It is needed before the command line is parsed. */
export function asksForJsonLog(args: readonly string[]): boolean {
  return args.some(
    (arg, i) => arg === "--log-format=json" || (arg === "--log-format" && args[i + 1] === "json"),
  );
}

/** Whether a configuration that is wrong asks for it. */
export function wantsJsonLog(error: unknown): boolean {
  return error instanceof Error && "logFormat" in error && error.logFormat === "json";
}
