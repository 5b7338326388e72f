/** The time in the unit of signed claims. */
export function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
