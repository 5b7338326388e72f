/** Claims a task, does the work and completes the task, or gives it back if the work fails. */
import { Coordinator, EventBus } from "if-coordinator";

// 1. Connect to the event bus.
const servers = [process.env.NATS_URL ?? "nats://localhost:4222"];
const bus = new EventBus({ backend: "nats", config: { servers, maxReconnectAttempts: 10 } });
if (!(await bus.connect())) throw new Error("Failed to connect to event bus");

// 2. Make a coordinator, and the task if it does not exist.
const coordinator = new Coordinator(bus);
const taskId = "P0.5.1";
const sessionId = "session-1-ndi";
if ((await coordinator.getTaskStatus(taskId)) === null) {
  await bus.put(`tasks/${taskId}`, { task_id: taskId, status: "available", claimed_by: null });
}

// 3. Claim it.
if (await coordinator.claimTask(taskId, sessionId)) {
  console.log(`✅ Claimed ${taskId}`);
  try {
    await writeDocumentation();
    await runTests();
    await coordinator.releaseTask(taskId, sessionId, "complete");
    console.log(`✅ Completed ${taskId}`);
  } catch (error) {
    // The task goes back to the pool.
    await coordinator.releaseTask(taskId, sessionId, "available");
    console.log(`❌ Failed ${taskId}: ${String(error)}`);
  }
} else {
  console.log(`⚠️ ${taskId} already claimed by another session`);
}
await bus.disconnect();

async function writeDocumentation(): Promise<void> {
  await bus.put(`tasks/${taskId}/documentation`, "IF.coordinator replaces git polling.");
}

async function runTests(): Promise<void> {
  const text = await bus.get(`tasks/${taskId}/documentation`);
  if (typeof text !== "string") throw new Error("there is no documentation");
}
