/** As long as the record of a claimed task of the benchmark. */
export const FLOOR_RECORD = JSON.stringify({ record: "x".repeat(580) });
export const FLOOR_BUCKET = "floor";
