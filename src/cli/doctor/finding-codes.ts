/**
 * Everything that `doctor` can find, with its cure. docs/doctor.md has the same table, and a test compares
 * them. `<name>` in a cure is replaced by a value.
 */
import { COORDINATOR_CODES } from "./coordinator-codes.ts";
import { NATS_CODES } from "./nats-codes.ts";

export const CODES = { ...NATS_CODES, ...COORDINATOR_CODES };

export type FindingCode = keyof typeof CODES;
