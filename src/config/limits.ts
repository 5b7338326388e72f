/** The settings `limits`: what one client, and all together, may use. */
import { z } from "zod";
import { MAX_TTL_SECONDS, MIN_TTL_SECONDS } from "../protocol/fields.ts";
import { wholeNumber } from "./value-kinds.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** A pebibyte. */
const MAX_BYTES = 1024 * 1024 * GIB;

export const limits = z.strictObject({
  in_flight: wholeNumber(1, 1_000_000).default(1_000).meta({
    description: "Requests that a worker handles at a time; others wait for their turn",
  }),
  in_flight_per_principal: wholeNumber(1, 1_000_000).default(500).meta({
    description: "The same for one principal; without accounts, for one connection",
  }),
  queued_per_principal: wholeNumber(1, 10_000).default(1_000).meta({
    description:
      "Requests of one principal or connection that wait for their turn; others are answered `overloaded`",
  }),
  waiting: wholeNumber(0, 1_000_000)
    .default(20_000)
    .meta({ description: "`tasks.next` requests that a worker parks at a time" }),
  waiting_per_principal: wholeNumber(1, 1_000_000).default(12_000).meta({
    description: "`tasks.next` requests of one principal that a worker parks at a time",
  }),
  waiting_per_session: wholeNumber(1, 1_000_000).default(100).meta({
    description: "`tasks.next` requests of one session that a worker parks at a time",
  }),
  filters_per_principal: wholeNumber(1, 1_000_000).default(1_000).meta({
    description: "Different filters of the requests of one principal that a worker parks",
  }),
  filter_bytes: wholeNumber(256, 1_000_000).default(4_096).meta({
    description: "Bytes of the capabilities, tags and prefix of a `tasks.next` request",
  }),
  claims_per_principal: wholeNumber(1, 10_000_000).default(20_000).meta({
    description: "Tasks that the sessions of one agent hold at a time",
  }),
  claims_per_session: wholeNumber(1, 10_000_000).default(50_000).meta({
    description: "Tasks that one session holds at a time",
  }),
  lease_seconds: wholeNumber(MIN_TTL_SECONDS, MAX_TTL_SECONDS).default(MAX_TTL_SECONDS).meta({
    description: "Longest lease that a request gets, in seconds",
  }),
  requests_per_second: wholeNumber(0, 1_000_000).default(20_000).meta({
    description:
      "Requests per second that one worker takes from one agent or connection; 0: no limit",
  }),
  request_bytes_per_second: wholeNumber(0, 10_000_000_000).default(33_554_432).meta({
    description: "Bytes of their requests per second; 0: no limit",
  }),
  tasks: wholeNumber(1, 100_000_000)
    .default(2_000_000)
    .meta({ description: "Tasks of the board, finished ones included until they are removed" }),
  bytes: wholeNumber(MIB, MAX_BYTES)
    .default(2 * GIB)
    .meta({ description: "Bytes of the current records of all tasks" }),
  tasks_per_principal: wholeNumber(1, 100_000_000).default(100_000).meta({
    description: "Tasks that one agent may have created; without accounts: that one session may",
  }),
  bytes_per_principal: wholeNumber(1_024, MAX_BYTES)
    .default(256 * MIB)
    .meta({ description: "Bytes of the current records of these tasks" }),
  session_bytes: wholeNumber(1_024, MAX_BYTES)
    .default(512 * MIB)
    .meta({ description: "Bytes of all registrations of sessions" }),
  session_bytes_per_principal: wholeNumber(1_024, MAX_BYTES)
    .default(32 * MIB)
    .meta({
      description:
        "Bytes of the registrations of one agent; without accounts: of sessions whose ids begin with the same name",
    }),
  bucket_bytes: wholeNumber(0, MAX_BYTES)
    .default(4 * GIB)
    .meta({
      description: "Bytes that the bucket `tasks` may take, with earlier records; 0: no limit",
    }),
});
