/** Two sessions, each with its own connection. One waits for a task of the other. */
import { Coordinator, EventBus } from "if-coordinator";

const config = { servers: [process.env.NATS_URL ?? "nats://localhost:4222"] };

// Session 1 (NDI) writes the documentation, which depends on the integration tests.
const bus1 = new EventBus({ backend: "nats", config });
if (!(await bus1.connect())) throw new Error("Failed to connect to event bus");
const session1 = new Coordinator(bus1);
await bus1.put("tasks/P0.1.5", { title: "Integration tests" });
await bus1.put("tasks/P0.5.1", { title: "Documentation", depends_on: ["P0.1.5"] });

const unblocked = new Promise<void>((resolve) => {
  const filter = { prefix: "P0.5.1", type: "task_unblocked" } as const;
  void session1.subscribeTaskUpdates(
    () => {
      resolve();
    },
    { filter, since: "beginning" },
  );
});
console.log("session 1 claims P0.5.1:", await session1.claimTask("P0.5.1", "session-1-ndi"));

// Session 5 (CLI) runs the tests.
const bus5 = new EventBus({ backend: "nats", config });
if (!(await bus5.connect())) throw new Error("Failed to connect to event bus");
const session5 = new Coordinator(bus5);
if (await session5.claimTask("P0.1.5", "session-5-cli")) {
  console.log("session 5 runs the integration tests");
  await session5.releaseTask("P0.1.5", "session-5-cli", "complete");
}

// Their completion unblocks the task that session 1 waits for.
if ((await session1.getTaskStatus("P0.5.1"))?.status === "blocked") await unblocked;
if (await session1.claimTask("P0.5.1", "session-1-ndi")) {
  console.log("session 1 writes the documentation");
  await session1.releaseTask("P0.5.1", "session-1-ndi", "complete", { result: "docs/" });
}
await Promise.all([bus1.disconnect(), bus5.disconnect()]);
