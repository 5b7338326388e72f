/**
 * An honest session, which works as agents do: it creates tasks, claims them, renews the leases, reads, and
 * completes. It also holds one task for the whole time. It notes the outcome and the time of each request.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Asker, type Asked, type Login } from "./asker.ts";

/** `quiet`: before the attack. `after`: the attacker has left. */
export type Phase = "quiet" | "attack" | "after";

export interface Sample {
  readonly session: string;
  readonly phase: Phase;
  readonly operation: string;
  /** `ok`, the code of an error, or `no answer`. */
  readonly outcome: string;
  readonly ms: number;
}

export interface HonestOptions {
  readonly login: Login;
  readonly session: string;
  readonly leaseSeconds: number;
}

export interface HonestReport {
  readonly samples: readonly Sample[];
  /** A line for each lease that it has lost although it renewed it in time. */
  readonly lost: readonly string[];
}

/** Each lane sends one request after the other, so a slow answer holds up only a part of the session. */
const LANES = 4;
/** In each lane: 20 requests a second in all. */
const PAUSE_MS = 200;
/** How long it waits for a task that does not come. */
const WAIT_SECONDS = 0.2;
const RENEWAL_TIMEOUT_MS = 1_000;
const AGAIN_MS = 100;
/** What the holder of a task is told that has lost it. */
const LOST = new Set(["lease_lost", "not_holder"]);

export class HonestAgent {
  readonly #asker: Asker;
  readonly #options: HonestOptions;
  readonly #samples: Sample[] = [];
  readonly #lost: string[] = [];
  readonly #stop = new AbortController();
  #phase: Phase = "quiet";
  #work: Promise<unknown> = Promise.resolve();

  private constructor(asker: Asker, options: HonestOptions) {
    this.#asker = asker;
    this.#options = options;
  }

  static async open(options: HonestOptions): Promise<HonestAgent> {
    return new HonestAgent(await Asker.open(options.login, options.session), options);
  }

  set phase(phase: Phase) {
    this.#phase = phase;
  }

  /** Resolves when it holds its task and has begun to work. */
  async start(): Promise<void> {
    const { session, leaseSeconds } = this.#options;
    const kept = `${session}.kept`;
    await this.#asker.must(`tasks.create.${kept}`, { title: "Held for the whole time" });
    const claim = { session_id: session, ttl_seconds: leaseSeconds };
    const { attempt } = await this.#asker.must(`tasks.claim.${kept}`, claim);
    const lanes = Array.from({ length: LANES }, (_, i) => this.#lane(`${session}.lane${i}.`));
    this.#work = Promise.all([...lanes, this.#keep(kept, Number(attempt))]);
  }

  /** Ends the work after the requests that are under way. */
  async stop(): Promise<HonestReport> {
    this.#stop.abort();
    await this.#work;
    await this.#asker[Symbol.asyncDispose]();
    return { samples: this.#samples, lost: this.#lost };
  }

  /** Renews the lease at every third of it, and again at once if there was no answer. */
  async #keep(taskId: string, attempt: number): Promise<void> {
    const { session, leaseSeconds } = this.#options;
    const body = { session_id: session, attempt, ttl_seconds: leaseSeconds };
    for (let pauseMs = 0; ;) {
      await this.#pause(pauseMs);
      if (this.#isOver) return;
      const { outcome } = await this.#ask("tasks.renew", taskId, body, RENEWAL_TIMEOUT_MS);
      if (this.#lostBy(taskId, outcome)) return;
      pauseMs = outcome === "ok" ? (leaseSeconds * 1000) / 3 : AGAIN_MS;
    }
  }

  async #lane(prefix: string): Promise<void> {
    for (let i = 0; !this.#isOver; i++) await this.#cycle(prefix, i);
  }

  /** The life of one task, and a wait for another one that does not come. */
  async #cycle(prefix: string, number: number): Promise<void> {
    const { session, leaseSeconds } = this.#options;
    const holder = { session_id: session };
    const wanted = { ...holder, ttl_seconds: leaseSeconds, prefix };
    const payload = { steps: ["read", "change", "test"], text: "x".repeat(200) };
    await this.#step("tasks.create", `${prefix}${number}`, { title: `Task ${number}`, payload });
    const { body } = await this.#step("tasks.next", "", wanted);
    const [claim] = (body.claims ?? []) as { readonly task: { readonly task_id: string } }[];
    if (claim !== undefined) {
      const { task_id: id } = claim.task;
      await this.#step("tasks.get", id, {});
      const renewal = { ...holder, ttl_seconds: leaseSeconds };
      const renewed = await this.#step("tasks.renew", id, renewal);
      if (this.#lostBy(id, renewed.outcome)) return;
      const release = { ...holder, status: "complete", result: "done" };
      const released = await this.#step("tasks.release", id, release);
      if (this.#lostBy(id, released.outcome)) return;
    }
    await this.#step("tasks.next", "", { ...wanted, wait_seconds: WAIT_SECONDS });
  }

  async #step(operation: string, id: string, body: object): Promise<Asked> {
    if (this.#isOver) return { outcome: "over", ms: 0, body: {} };
    const asked = await this.#ask(operation, id, body);
    await this.#pause(PAUSE_MS - asked.ms);
    return asked;
  }

  async #ask(operation: string, id: string, body: object, timeoutMs?: number): Promise<Asked> {
    const subject = id === "" ? operation : `${operation}.${id}`;
    const asked = await this.#asker.ask(subject, body, timeoutMs);
    const { outcome } = asked;
    const waits = "wait_seconds" in body;
    const ms = Math.max(0, asked.ms - (waits && outcome === "ok" ? WAIT_SECONDS * 1000 : 0));
    const { session } = this.#options;
    const name = waits ? `${operation} that waits` : operation;
    this.#samples.push({ session, phase: this.#phase, operation: name, outcome, ms });
    return asked;
  }

  #lostBy(taskId: string, outcome: string): boolean {
    const isLost = LOST.has(outcome);
    if (isLost) this.#lost.push(`${this.#options.session} lost ${taskId} (${outcome})`);
    return isLost;
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
