/** Wraps the real stores and injects the faults of a test. */
import type { LeaseStore, Stores, TaskStore } from "../../src/service/ports.ts";

type Methods<S> = { [K in keyof S]?: (real: S) => S[K] };

/** The same stores with some methods replaced. Each replacement can call the real method. */
export function withFaults(faults: {
  readonly tasks?: Methods<TaskStore>;
  readonly leases?: Methods<LeaseStore>;
}): (stores: Stores) => Stores {
  return (stores) => ({
    ...stores,
    tasks: replace(stores.tasks, faults.tasks ?? {}),
    leases: replace(stores.leases, faults.leases ?? {}),
  });
}

function replace<S extends object>(real: S, methods: Methods<S>): S {
  return new Proxy(real, {
    get: (target, name) => {
      const make = methods[name as keyof S];
      if (make !== undefined) return make(real);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
