/** Waits until a blocker is complete, and claims the task that it blocked at once. */
import { Coordinator, EventBus, type TaskUpdate } from "if-coordinator";

const servers = [process.env.NATS_URL ?? "nats://localhost:4222"];
const bus = new EventBus({ backend: "nats", config: { servers } });
if (!(await bus.connect())) throw new Error("Failed to connect to event bus");
const coordinator = new Coordinator(bus);

/** Called for every update of a task. */
async function checkBlockerCleared(event: TaskUpdate): Promise<void> {
  console.log(`Task ${event.task_id} now ${event.new_status}`);
  if (event.task_id === "P0.1.5" && event.new_status === "complete") {
    console.log("🎉 Blocker P0.1.5 cleared!");
  }
  if (event.task_id === "P0.5.1" && event.type === "task_unblocked") {
    console.log("Claiming P0.5.1...");
    const isMine = await coordinator.claimTask("P0.5.1", "session-1-ndi");
    console.log(isMine ? "✅ Claimed P0.5.1" : "⚠️ another session was faster");
    await coordinator.stop();
  }
}

const subscription = await coordinator.subscribeTaskUpdates(checkBlockerCleared);
console.log("watching");
// Resolves when stop() is called.
await coordinator.run();
coordinator.unsubscribe(subscription);
await bus.disconnect();
