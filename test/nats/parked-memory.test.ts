/** What a parked request keeps in memory. */
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parked } from "../support/next-requests.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** The bytes of messages that are in memory. */
function bytesOfMessages(): number {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  return process.memoryUsage().arrayBuffers;
}

describe("a parked request", () => {
  it("does not keep its message in memory", async () => {
    await using coordinator = await TestCoordinator.start();
    const client = await coordinator.server.connect();
    const before = bytesOfMessages();
    const spaces = " ".repeat(800_000);
    for (let i = 1; i <= 40; i++) {
      const body = `{"session_id":"s${i}","wait_seconds":60}${spaces}`;
      client.request("tasks.next", body, { timeout: 60_000 }).catch(() => undefined);
      await parked(coordinator, i);
    }
    // The collector gives memory back in the background.
    await coordinator.until("tasks.stats", () => bytesOfMessages() - before < 10_000_000);
    await parked(coordinator, 40);
    await client.close();
  });
});
