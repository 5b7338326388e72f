/** A worker that lags behind: it does not receive the writes of others. */
import type { Stoppable, Stores, Watch } from "../../src/service/ports.ts";

/** The same stores. While `isLate`, the watch on one of them delivers no changes. */
export function withLateWatch(
  late: "tasks" | "sessions",
  isLate: () => boolean,
): (stores: Stores) => Stores {
  const lateWatch = <Entry>(watch: Watch<Entry>): Watch<Entry> => ({
    restarted: () => {
      watch.restarted();
    },
    entry: (entry) => {
      if (!isLate()) watch.entry(entry);
    },
    current: () => {
      watch.current();
    },
  });
  return (stores) => ({ ...stores, [late]: replaceWatch<unknown>(stores[late], lateWatch) });
}

function replaceWatch<Entry>(
  store: object,
  lateWatch: (watch: Watch<Entry>) => Watch<Entry>,
): object {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const method = value.bind(target) as (...parameters: unknown[]) => Promise<Stoppable>;
      return name === "watch" ? (watch: Watch<Entry>) => method(lateWatch(watch)) : method;
    },
  });
}
