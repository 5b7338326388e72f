/** Verdict on the clocks of this machine, the NATS server and the workers. */
import type { ClockReading } from "../../../nats/inspection/clock-reading.ts";
import { duration, type Finding, found, ok, shortList } from "../finding.ts";

export interface ClockFacts {
  /** `null`: it could not be read. */
  readonly server: ClockReading | null;
  readonly workers: readonly { readonly id: string; readonly clock: ClockReading | null }[];
}

/** More than clocks differ that are synchronized over the internet. */
const TOLERANCE_MS = 1_000;

export function judgeClocks({ server, workers }: ClockFacts): Finding[] {
  const readings = [
    ...(server === null ? [] : [{ name: "the NATS server", clock: server }]),
    ...workers.flatMap(({ id, clock }) => (clock === null ? [] : [{ name: id, clock }])),
  ];
  const off = readings.filter(
    ({ clock }) => Math.abs(clock.aheadMs) - clock.errorMs > TOLERANCE_MS,
  );
  const findings = off.length === 0 ? [] : [found("clock_differs", differences(off))];
  if (off.length === 0 && readings.length > 0) findings.push(agreement(readings));
  const unread = [
    ...(server === null ? ["the NATS server"] : []),
    ...workers.filter(({ clock }) => clock === null).map(({ id }) => id),
  ];
  if (unread.length > 0) {
    findings.push(found("clock_unknown", `not known: the time of ${shortList(unread)}`));
  }
  return findings;
}

interface NamedReading {
  readonly name: string;
  readonly clock: ClockReading;
}

function differences(readings: readonly NamedReading[]): string {
  const each = readings.map(({ name, clock }) => {
    const side = clock.aheadMs > 0 ? "ahead of" : "behind";
    return `${name} is ${duration(Math.abs(clock.aheadMs))} ${side} this machine (± ${duration(clock.errorMs)})`;
  });
  return shortList(each);
}

function agreement(readings: readonly NamedReading[]): Finding {
  const widest = Math.max(...readings.map(({ clock }) => Math.abs(clock.aheadMs) + clock.errorMs));
  const names =
    readings.length > 3 ? `${readings.length} clocks` : readings.map(({ name }) => name).join(", ");
  return ok(`this machine and ${names} differ by at most ${duration(widest)}`);
}
