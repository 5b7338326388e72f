/** The rows of the suite: every attack, in the order of docs/guarantees.md. */
import { FAIRNESS } from "./rows/fairness.ts";
import { HEAVY_REQUESTS } from "./rows/heavy-requests.ts";
import { TASKS_OF_OTHERS } from "./rows/tasks-of-others.ts";
import { FLOODS } from "./rows/floods.ts";
import { PARKED } from "./rows/parked.ts";
import { READS } from "./rows/reads.ts";
import { STORAGE } from "./rows/storage.ts";
import { VISIBILITY } from "./rows/visibility.ts";
import type { Row } from "./row.ts";

export const ROWS: readonly Row[] = [
  ...READS,
  ...PARKED,
  ...STORAGE,
  ...FLOODS,
  ...FAIRNESS,
  ...TASKS_OF_OTHERS,
  ...VISIBILITY,
  ...HEAVY_REQUESTS,
];
