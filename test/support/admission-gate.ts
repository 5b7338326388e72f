import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { CoordinatorError } from "../../src/protocol/errors.ts";
import { Admission } from "../../src/service/admission.ts";
import type { Place } from "../../src/service/ports.ts";
import type { ServiceSettings } from "../../src/service/service-settings.ts";

const LIMITS = {
  maxInFlight: 1_000,
  maxInFlightPerPrincipal: 1_000,
  maxQueuedPerPrincipal: 1_000,
  requestsPerSecond: 0,
  requestBytesPerSecond: 0,
};

interface Own {
  readonly requests_per_second?: number;
  readonly in_flight?: number;
}

/** An admission, its clock, and what happens to the requests that arrive there. */
export class AdmissionGate {
  /** The requests that were handled, in order: `alice 1`. */
  readonly served: string[] = [];
  readonly refused = new Map<string, CoordinatorError>();
  readonly dropped: string[] = [];
  readonly admission: Admission;
  readonly #numbers = new Map<string, number>();
  readonly #finish = new Map<string, () => void>();
  readonly #places = new Map<string, Place>();
  time = 0;

  /** `own`: the limits of single senders. */
  constructor(limits: Partial<typeof LIMITS> = {}, own: Readonly<Record<string, Own>> = {}) {
    const clock = { now: () => 0, steady: () => this.time, random: () => 0 };
    const settings = { ...LIMITS, ...limits } as ServiceSettings;
    this.admission = new Admission(settings, clock, { limitsOf: (sender) => own[sender] });
  }

  /** A request arrives. Handling it takes `ms` at once, and then lasts until `finish`. */
  arrive(sender: string, { ms = 0, bytes = 100 } = {}): void {
    const number = (this.#numbers.get(sender) ?? 0) + 1;
    this.#numbers.set(sender, number);
    const name = `${sender} ${number}`;
    this.admission.arrive({
      sender,
      bytes,
      serve: (place) => {
        this.served.push(name);
        this.#places.set(name, place);
        this.time += ms;
        return new Promise((resolve) => this.#finish.set(name, resolve));
      },
      refuse: (error) => void this.refused.set(name, error),
      drop: () => void this.dropped.push(name),
    });
  }

  arrivals(sender: string, count: number, options: { ms?: number; bytes?: number } = {}): void {
    for (let i = 0; i < count; i++) this.arrive(sender, options);
  }

  finish(name: string): void {
    const finish = this.#finish.get(name);
    assert.ok(finish !== undefined, `${name} is not under way`);
    finish();
  }

  place(name: string): Place {
    const place = this.#places.get(name);
    assert.ok(place !== undefined, `${name} was not served`);
    return place;
  }

  refusal(name: string): CoordinatorError {
    const error = this.refused.get(name);
    assert.ok(error !== undefined, `${name} was not refused`);
    assert.deepEqual([error.code, error.retryable], ["overloaded", true]);
    return error;
  }

  count(sender: string): number {
    return this.served.filter((name) => name.startsWith(`${sender} `)).length;
  }
}

/** Lets the requests be handled whose turn it is. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 150; i++) await turn();
}
