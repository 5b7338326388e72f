/** What the requests of a task's holder have in common: the claim that is wanted, and the one that there is. */
import type { Reply } from "../protocol/operations.ts";
import type { EncodedRecord, TaskRecord } from "../protocol/task-record.ts";
import type { ConnectionId } from "./ports.ts";

/** A claim for a reply. */
export interface Claimed extends Omit<Reply<"tasks.next">["claims"][number], "task"> {
  readonly task: EncodedRecord | TaskRecord;
}

/** What a request says about its sender. */
export interface Asked {
  readonly connection: ConnectionId | null;
  readonly principal: string | null;
}

/** Which session, and which of its processes, made which claim. */
export interface Holder {
  readonly sessionId: string;
  readonly instance: string | null;
  readonly attempt: number;
}

/** What a claim is made from. */
export interface WantedClaim extends Asked {
  readonly sessionId: string;
  readonly instance: string | null;
  readonly ttlSeconds: number | undefined;
  readonly capabilities: readonly string[];
  readonly claimRequest: string | null;
  readonly once?: boolean;
}
