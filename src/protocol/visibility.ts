/**
 * What agents see of the tasks and sessions of others: everything, no contents, or nothing but what they
 * could claim.
 */
export const VISIBILITIES = ["all", "definitions", "own"] as const;
export type Visibility = (typeof VISIBILITIES)[number];
