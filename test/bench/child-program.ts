/** A process of `child.test.ts`. */
import { serveOrders } from "../../bench/child.ts";

interface Order {
  readonly add?: number;
  readonly fail?: string;
  readonly die?: boolean;
}

const base = Number(process.argv[2]);
serveOrders(
  ({ add = 0, fail, die }: Order) => {
    if (die === true) process.exit(9);
    return fail === undefined ? Promise.resolve(base + add) : Promise.reject(new Error(fail));
  },
  () => Promise.resolve(),
);
