/** Kinds of values that several settings have. */
import { z } from "zod";

export function wholeNumber(min: number, max: number): z.ZodInt {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function oneOf<const V extends readonly [string, ...string[]]>(values: V) {
  return z.enum(values, { error: `must be ${values.join(" or ")}` });
}

export const MAX_INT = 2_147_483_647;
export const text = z.string({ error: "must be a text" }).min(1, { error: "must not be empty" });
export const flag = z.boolean({ error: "must be true or false" });
export const port = wholeNumber(0, 65_535);
