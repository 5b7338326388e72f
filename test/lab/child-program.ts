/** The program of `child.test.ts`. */
import { argumentsFromParent, serve } from "../../scripts/lab/child.ts";

const base = Number(argumentsFromParent("child.test.ts")[0]);

const methods = {
  add: (n: number) => base + n,
  fail: (problem: string) => Promise.reject(new Error(problem)),
  die: () => process.exit(9),
};
export type Methods = typeof methods;

serve(methods, () => undefined);
