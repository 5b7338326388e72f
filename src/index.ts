/** What programs import from `if-coordinator`. */
export type { ImportedTask } from "./client/import-tasks.ts";
export { TaskClient, type CallOptions } from "./client/task-client.ts";
export { TaskError } from "./client/task-error.ts";
export { type ConnectOptions, ConnectionError, connectNats } from "./nats/connection.ts";
export {
  createRequester,
  type Requester,
  RequestFailedError,
  type RequestProblem,
} from "./nats/request.ts";
export { type ErrorCode, ERRORS } from "./protocol/errors.ts";
export type { Operation, Reply, RequestInput } from "./protocol/operations.ts";
export type { EventRecord, TaskRecord } from "./protocol/task-record.ts";
