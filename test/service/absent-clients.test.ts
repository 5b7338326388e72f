import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AbsentClients } from "../../src/service/absent-clients.ts";
import type { Claimed } from "../../src/service/claimed.ts";
import { type Asker, type NextRequest, toNextRequest } from "../../src/service/next-request.ts";
import { ParkedQueue } from "../../src/service/parked-queue.ts";

/** A request of `agent.s1` that counts how often somebody looks whether its client listens. */
function request(looked: () => void): NextRequest {
  const asker: Asker = {
    sender: "agent.s1",
    principal: "agent.s1",
    place: { park: () => undefined, resume: () => undefined },
    client: null,
    isListening: () => {
      looked();
      return Promise.resolve(true);
    },
  };
  const body = {
    session_id: "s1",
    wait_seconds: 60,
    max: 1,
    tags: [],
    capabilities: [],
    prefix: "",
  };
  return toNextRequest(body, [], asker);
}

describe("a request that is refused because its sender has too many parked", () => {
  it("has their clients looked at, but not each time", async () => {
    let [now, looks] = [0, 0];
    // Nobody is trusted for long.
    const clock = { now: () => 0, steady: () => (now += 10_000), random: () => 0 };
    const queue = new ParkedQueue<NextRequest, Claimed[]>();
    void queue.park(
      request(() => looks++),
      60_000,
    );
    const absent = new AbsentClients(queue, clock);
    for (let i = 0; i < 1_000; i++) {
      absent.lookAfterRefusal("agent.s1");
      await Promise.resolve();
    }
    assert.equal(looks, 1);
    await absent.endRequestsOf("agent.s1");
    assert.equal(looks, 2);
    queue.dismissAll();
  });
});
