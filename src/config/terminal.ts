/** The environment as programs that draw on a terminal need it. */
import type { Environment } from "./variables.ts";

/** Whether the stream is for eyes that want colours: NO_COLOR, FORCE_COLOR, and whether it is a terminal. */
export function wantsColors(
  stream: { readonly isTTY?: boolean },
  env: Environment = process.env,
): boolean {
  if ((env.NO_COLOR ?? "") !== "") return false;
  if ((env.FORCE_COLOR ?? "") !== "") return env.FORCE_COLOR !== "0";
  return stream.isTTY === true && !isDumbTerminal(env);
}

/** Whether the terminal cannot move its cursor, so that nothing can be drawn again in place. */
export function isDumbTerminal(env: Environment = process.env): boolean {
  return env.TERM === "dumb";
}

/**
 * Selects the production build of React. Call it before React is loaded. The build for development is slower,
 * and keeps a measurement of each frame in memory.
 */
export function useProductionReact(): void {
  process.env.NODE_ENV = "production";
}
