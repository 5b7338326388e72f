/** The environment as programs that draw on a terminal need it. */
import type { Environment } from "./variables.ts";

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
