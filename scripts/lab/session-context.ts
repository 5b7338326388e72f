/** What each session of a run is given. */
import type { TaskClient } from "../../src/client/task-client.ts";
import type { Recording } from "../../src/history/recording.ts";
import type { Random } from "../../src/simulation/random.ts";
import type { OpenTasks } from "./open-tasks.ts";
import type { Repeats } from "./repeats.ts";

const TIMEOUT_MS = 4_000;
/** No repetition by the client: the recording shows each request. */
export const ONCE = { deadlineMs: 0, timeoutMs: TIMEOUT_MS };

export interface SessionContext {
  readonly id: string;
  readonly tasks: TaskClient;
  readonly random: Random;
  readonly recording: Recording;
  /** Shared by all sessions. */
  readonly openTasks: OpenTasks;
  readonly signal: AbortSignal;
  readonly repeats: Repeats;
}
