/** An agent: it takes one task after the other until there is nothing to do. The README shows it. */
import { Coordinator, EventBus } from "if-coordinator";

const servers = process.env.NATS_URL ?? "nats://localhost:4222";
const bus = new EventBus({ backend: "nats", config: { servers } });
if (!(await bus.connect())) process.exit(1);

const coordinator = new Coordinator(bus);
const options = { stopWhenIdle: true, waitSeconds: 1 };
const worker = coordinator.work(options, (task) => {
  console.log(`${task.task_id}: ${task.title}`);
  return `did "${task.title}"`;
});
await worker.done;
await bus.disconnect();
