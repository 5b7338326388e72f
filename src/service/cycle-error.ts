import { CoordinatorError } from "../protocol/errors.ts";

/** Refuses dependencies that lead back to where they began. */
export function cycleError(cycle: readonly string[]): CoordinatorError {
  return new CoordinatorError(
    "invalid_request",
    `depends_on: the dependencies form a cycle, ${cycle.join(" -> ")}: remove one of them`,
    { details: { field: "depends_on", cycle } },
  );
}
