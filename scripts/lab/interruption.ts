/** Whether the run was told to end, as by Ctrl-C: what it has mounted and started must not stay. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Rejects on the first such signal, which then does not end the process. */
export function interrupted(): Promise<never> {
  const interruption = new Promise<never>((_, reject) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        reject(new Error(`ended by ${signal}`));
      });
    }
  });
  // It may come before anybody waits for it.
  interruption.catch(() => undefined);
  return interruption;
}
