/** The charts of a run, and the rules for its figures. */
import type { Group, Rule } from "./series.ts";

const group = (title: string, unit: string, scale?: Group["scale"]): Group => ({
  title,
  unit,
  ...(scale === undefined ? {} : { scale }),
});

export const GROUPS = {
  memory: group("Resident memory", "MiB"),
  heap: group("Heap in use", "MiB"),
  descriptors: group("Open descriptors", ""),
  cpu: group("Processor", "% of one core"),
  connections: group("Connections of NATS", ""),
  subscriptions: group("Subscriptions of NATS", ""),
  consumers: group("Consumers of the streams", ""),
  messages: group("Messages in the streams", "", "logarithmic"),
  bytes: group("Size of the streams", "KiB", "logarithmic"),
  messagesKept: group("Messages kept of each one written", ""),
  bytesKept: group("Size kept of each message written", "bytes"),
  tasks: group("Tasks by status", "", "logarithmic"),
  waiting: group("Parked requests and sessions", ""),
  operations: group("Operations per second", "1/s", "logarithmic"),
  errors: group("Errors per second, by code", "1/s"),
} as const satisfies Record<string, Group>;

export function latencyGroup(operation: string): Group {
  return group(`Latency of ${operation}`, "ms", "logarithmic");
}

/** In the quiet a process has only its own descriptors open. A connection may be changing just then. */
export const OPEN: Rule = { kind: "returns", slack: 2 };
/** The blocks of the streams are files, which come and go. */
export const OPEN_FILES: Rule = { kind: "returns", slack: 8 };
/** The servers tell each other about the subscriptions of clients that changed the server. */
export const SUBSCRIBED: Rule = { kind: "returns", slack: 5 };
/** Also for tasks: unfinished tasks are cancelled at the end of the load, finished ones are removed. */
export const NONE_LEFT: Rule = { kind: "returns", slack: 0 };

/**
 * Node.js takes memory under load, for young objects and threads, and returns it late. Only more than that
 * shows a leak outside of the heap. `HEAP` shows a leak in the heap sooner.
 */
export const NODE_MEMORY: Rule = { kind: "steady", noise: 100 };
export const HEAP: Rule = { kind: "steady", noise: 10 };
/** The server caches blocks of the streams, and its garbage collector runs late. */
export const SERVER_MEMORY: Rule = { kind: "steady", noise: 30 };

/** For a figure that takes this time to level out. */
export function levelsAfter(seconds: number, noise: number): Rule {
  return { kind: "steady", noise, levelsAfter: seconds };
}
