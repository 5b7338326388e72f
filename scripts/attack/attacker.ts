/** The process of the attacker. Its arguments: the URL, and the path of its credentials or nothing. */
import { argumentsFromParent, serve } from "../lab/child.ts";
import { Asker } from "./asker.ts";
import { type AttackName, ATTACKS } from "./attacks.ts";
import { Attack, type AttackReport } from "./attack.ts";
import { ATTACKER } from "./set-up.ts";

const [url = "", credsFile = null] = argumentsFromParent("npm run attack");
const asker = await Asker.open({ url, credsFile }, ATTACKER);

const methods = {
  run: async (name: AttackName, ms: number): Promise<AttackReport> => {
    const attack = new Attack(asker, ms);
    const began = process.cpuUsage();
    const beganAt = performance.now();
    await ATTACKS[name](attack);
    const seconds = (performance.now() - beganAt) / 1000;
    const { user, system } = process.cpuUsage(began);
    return { ...attack.counts, seconds, busy: (user + system) / 1e6 / seconds };
  },
};
export type AttackerMethods = typeof methods;

serve(methods, () => asker[Symbol.asyncDispose]());
