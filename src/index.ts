/**
 * What programs import from `if-coordinator`. The guide is `docs/library.md`. The fields of requests,
 * replies and tasks are in `docs/protocol.md`.
 *
 * @module
 */
export type { CallOptions } from "./client/call-options.ts";
export type { Claim } from "./client/claim.ts";
export type { ClaimOptions, StopOptions, WorkOptions } from "./client/claim-options.ts";
export { Coordinator } from "./client/coordinator.ts";
export type {
  ClaimTaskOptions,
  CoordinatorOptions,
  ReleaseTaskOptions,
  SubscribeOptions,
} from "./client/coordinator-options.ts";
export { type BusHealth, EventBus, type PutOptions } from "./client/event-bus.ts";
export type { Backend, EventBusConfig, EventBusOptions } from "./client/event-bus-options.ts";
export type { ImportedTask } from "./client/import-tasks.ts";
export type { Logger } from "./client/logger.ts";
export type { Connected } from "./client/connection-field.ts";
export type { EndOptions, FailOptions, ReleaseOptions } from "./client/release-options.ts";
export type { SharedChange } from "./client/shared-watch.ts";
export type { TaskClient } from "./client/task-client.ts";
export { TaskError, type TaskErrorOptions } from "./client/task-error.ts";
export type { TaskRemoval, TaskUpdate } from "./client/task-update.ts";
export {
  PermanentError,
  ReleaseError,
  type TaskContext,
  type TaskHandler,
} from "./client/task-handler.ts";
export type { TaskWorker } from "./client/task-worker.ts";
export type { Since, UpdateFilter } from "./client/update-filter.ts";
export { type ErrorCode, ERRORS } from "./protocol/errors.ts";
export type { Operation, Reply, RequestInput } from "./protocol/operations.ts";
export type { EventRecord } from "./protocol/task-event.ts";
export type { TaskRecord } from "./protocol/task-record.ts";
export type { EventType, TaskStatus } from "./task/task.ts";
