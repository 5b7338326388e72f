/** Progress: what the holder of a task reports with its renewals. It is kept in the lease. */
import { CoordinatorError } from "../protocol/errors.ts";
import { MAX_PROGRESS_BYTES } from "../protocol/fields.ts";

/** Progress must be small, because every worker has all leases in memory. @throws CoordinatorError `too_large` */
export function requireSmallProgress(progress: unknown): void {
  if (progress === undefined) return;
  const size = Buffer.byteLength(JSON.stringify(progress));
  if (size <= MAX_PROGRESS_BYTES) return;
  throw new CoordinatorError(
    "too_large",
    `progress: has ${size} bytes, over the limit of ${MAX_PROGRESS_BYTES}: ` +
      "keep large content elsewhere and put a link to it here",
    { details: { field: "progress", size, limit: MAX_PROGRESS_BYTES } },
  );
}
