/**
 * A process that sends garbage to all endpoints until it is killed. Arguments: a seed, the sessions of the run if
 * it is an agent with an account of its own, otherwise nothing, and the URLs of the nodes.
 *
 * It sends the same messages again and again, because making them takes longer than sending. The rate
 * leaves enough of two cores for the sessions.
 */
import { setTimeout as delay } from "node:timers/promises";
import { replySubject } from "../fuzz/message.ts";
import { Wire } from "../fuzz/wire.ts";
import { garbage, hostileGarbage } from "./garbage.ts";
import { hostileLogin } from "./walled-accounts.ts";

const DRAWN = 3_000;
const PER_SECOND = 400;
const BURST_MS = 50;
const ROOT = "garbage";

const [seed = "", sessions = "", ...urls] = process.argv.slice(2);
const isAgent = sessions !== "";
const messages = isAgent
  ? hostileGarbage(Number(seed), DRAWN, sessions.split(","))
  : garbage(Number(seed), DRAWN);
let sent = 0;
let answers = 0;
process.once("disconnect", () => process.exit());
process.send?.("serving");
for (;;) {
  for (const url of urls) await sendTo(new URL(url)).catch(() => undefined);
  await delay(BURST_MS);
}

/** Resolves when the connection breaks. */
async function sendTo({ hostname, port }: URL): Promise<void> {
  const arrived = (): void => {
    answers++;
  };
  await using wire = await Wire.open(Number(port), arrived, {
    host: hostname,
    login: isAgent ? hostileLogin : undefined,
  });
  wire.subscribe(`${ROOT}.>`);
  while (!wire.isClosed) {
    for (let left = (PER_SECOND * BURST_MS) / 1000; left > 0; left--) sendNext(wire);
    await delay(BURST_MS);
  }
  console.log(`${sent} messages sent, ${answers} answers, ${wire.error ?? "disconnected"}`);
}

function sendNext(wire: Wire): void {
  const message = messages[sent % messages.length];
  if (message === undefined) throw new Error("there are no messages");
  const { subject, headers, payload } = message;
  wire.publish(subject, replySubject(message, ROOT, sent++), headers, payload);
}
