/** Which figures a run has: in which chart they are, and by which rule they are judged. */
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

/** What the quiet shows is what a process keeps open for itself; a connection may be just changing. */
export const OPEN: Rule = { kind: "returns", slack: 2 };
/** Blocks of the streams are files, which come and go. */
export const OPEN_FILES: Rule = { kind: "returns", slack: 8 };
/** Clients that changed the server are interests that the others are told of. */
export const SUBSCRIBED: Rule = { kind: "returns", slack: 5 };
/** Tasks as well: what a load leaves unfinished is cancelled, and what is finished is removed. */
export const NONE_LEFT: Rule = { kind: "returns", slack: 0 };

/**
 * Node.js takes memory as the load rises, for young objects and threads, and gives it back when it likes:
 * only more than that is a sign of a leak outside of the heap. What is in the heap shows sooner there.
 */
export const NODE_MEMORY: Rule = { kind: "steady", noise: 100 };
export const HEAP: Rule = { kind: "steady", noise: 10 };
/** The server keeps blocks of the streams at hand, and its collector takes its time. */
export const SERVER_MEMORY: Rule = { kind: "steady", noise: 30 };

/** What takes this time to level out. */
export function levelsAfter(seconds: number, noise: number): Rule {
  return { kind: "steady", noise, levelsAfter: seconds };
}
