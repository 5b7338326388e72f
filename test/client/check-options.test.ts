import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import { TaskError } from "../../src/client/task-error.ts";

/** Nothing is connected, so the client itself refuses these options before it sends anything. */
const bus: any = new EventBus({ backend: "nats" });
const coordinator: any = new Coordinator(bus as EventBus);
const NewCoordinator: any = Coordinator;
const NewEventBus: any = EventBus;

describe("invalid options", () => {
  for (const [what, use, expected] of [
    [
      "a misspelt option of an event bus",
      () => new NewEventBus({ backend: "nats", conf: {} }),
      /^conf: is not an option; the options are backend, config, maxInFlight, logger/,
    ],
    ["no options of an event bus", () => new NewEventBus(), /^options: must be an object/],
    [
      "a time to live under another name",
      () => bus.put("k", 1, { ttlSeconds: 1 }),
      /^ttlSeconds: is not an option; the options are ttl$/,
    ],
    [
      "the same of a swap",
      () => bus.compareAndSwap("k", 1, 2, { ttlSeconds: 1 }),
      /^ttlSeconds: is not an option/,
    ],
    ["a watch without a callback", () => bus.watch("x/"), /^callback: must be a function/],
    [
      "a deadline below zero",
      () => new NewCoordinator(bus, { deadlineMs: -3 }),
      /^deadlineMs: must be a number of milliseconds, at least 0/,
    ],
    [
      "a misspelt option of a coordinator",
      () => new NewCoordinator(bus, { deadlineMS: 3 }),
      /^deadlineMS: is not an option/,
    ],
    [
      "a misspelt option of a claim",
      () => coordinator.claimTask("a", "s", { ttl: 4 }),
      /^ttl: is not an option; .*ttlSeconds/,
    ],
    [
      "a deadline that is not a number",
      () => coordinator.tasks.get("a", { deadlineMs: "a" }),
      /^deadlineMs: must be a number/,
    ],
    [
      "a misspelt option of a release",
      () => coordinator.releaseTask("a", "s", "complete", { results: 1 }),
      /^results: is not an option/,
    ],
    [
      "a misspelt filter",
      () => coordinator.subscribeTaskUpdates(() => 0, { filters: {} }),
      /^filters: is not an option/,
    ],
    [
      "a subscription without a callback",
      () => coordinator.subscribeTaskUpdates(),
      /^callback: must be a function/,
    ],
    [
      "a misspelt option of a worker",
      () => coordinator.work({ session: "s", concurency: 5 }, () => 0),
      /^concurency: is not an option; .*concurrency/,
    ],
    [
      "a worker without options",
      () => coordinator.work(undefined, () => 0),
      /^options: must be an object/,
    ],
    [
      "a worker without a handler",
      () => coordinator.work({ session: "s" }),
      /^handler: must be a function/,
    ],
    [
      "a capability that is no list",
      () => coordinator.work({ session: "s", capabilities: "gpu" }, () => 0),
      /^capabilities: must be a list of strings/,
    ],
    [
      "a capability that is no text",
      () => coordinator.claimTask("a", "s", { capabilities: ["gpu", 7] }),
      /^capabilities: must be a list of strings/,
    ],
    [
      "a tag that is no text",
      () => coordinator.work({ session: "s", tags: [null] }, () => 0),
      /^tags: must be a list of strings/,
    ],
    [
      "a revision below zero",
      () => coordinator.subscribeTaskUpdates(() => 0, { since: -1 }),
      /^since: must be "now", "beginning" or the last revision that is known/,
    ],
    [
      "a revision that is too large for a number",
      () => coordinator.subscribeTaskUpdates(() => 0, { since: 2 ** 53 }),
      /^since: must be "now", "beginning" or the last revision that is known/,
    ],
    [
      "a loop that should handle several tasks at a time",
      () => coordinator.claims({ session: "s", concurrency: 5 }).next(),
      /^concurrency: is not an option/,
    ],
    [
      "a session without a name",
      () => coordinator.claims({ session: "" }).next(),
      /^session: must not be empty/,
    ],
  ] as const) {
    it(`are refused by their name: ${what}`, async () => {
      await assert.rejects(
        async () => {
          await use();
        },
        (error) => {
          assert.ok(error instanceof TaskError, String(error));
          assert.equal(error.code, "invalid_request");
          assert.match(error.message, expected);
          return true;
        },
      );
    });
  }
});
