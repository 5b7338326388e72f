/** What a claim is made from. */
import type { Connection } from "../nats/connection.ts";
import type { Reply } from "../protocol/operations.ts";
import type { Claim } from "./claim.ts";
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";
import type { TaskError } from "./task-error.ts";

export type Claimed = Reply<"tasks.next">["claims"][number];

/** What a claim needs of the one that made it. */
export interface ClaimOwner {
  readonly sessionId: string;
  readonly instance: string;
  readonly tasks: TaskClient;
  readonly connection: Connection;
  readonly logger: Logger;
  /**
   * Called once: the lease need not be renewed any more. Unless that is acknowledged, the coordinator may not
   * know that the claim has ended.
   */
  ended(claim: Claim, isAcknowledged: boolean): void;
  /** Another instance has the session: nothing that it claimed is its own any more. */
  replaced(error: TaskError): void;
}
