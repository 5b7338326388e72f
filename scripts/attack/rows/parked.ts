/** Attacks by requests that wait for tasks. */
import type { Row } from "../row.ts";
import { FLOODED_MS } from "./floods.ts";

export const PARKED: readonly Row[] = [
  {
    name: "parked",
    does: "parks 20,050 requests for tasks that do not come, and leaves",
    attack: "parked",
    bounds: { p99Ms: FLOODED_MS },
  },
  {
    name: "wide-filters",
    does: "parks requests with 256 tags and 256 capabilities of 256 characters",
    attack: "wide filters",
    bounds: { p99Ms: FLOODED_MS },
  },
];
