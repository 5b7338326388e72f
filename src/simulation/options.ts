/** The settings of a simulation: their meaning, bounds and defaults. */
import { fileURLToPath } from "node:url";

export interface SimulationOptions {
  readonly sessions: number;
  readonly workers: number;
  readonly crashRate: number;
  readonly failRate: number;
  readonly seed: number;
  /** Path of a JSON file of tasks. */
  readonly file: string;
}

interface NumberOption {
  readonly flag: string;
  readonly description: string;
  /** `null`: random for each run. */
  readonly default: number | null;
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

export const NUMBER_OPTIONS = {
  sessions: {
    flag: "--sessions",
    description: "sessions at work at any time, each with its own NATS connection",
    default: 20,
    min: 1,
    max: 2_000,
    whole: true,
  },
  workers: {
    flag: "--workers",
    description: "workers of the coordinator",
    default: 3,
    min: 1,
    max: 64,
    whole: true,
  },
  crashRate: {
    flag: "--crash-rate",
    description: "share of claims whose session disconnects while it holds the task",
    default: 0,
    min: 0,
    max: 0.9,
    whole: false,
  },
  failRate: {
    flag: "--fail-rate",
    description: "share of claims that end as failed",
    default: 0,
    min: 0,
    max: 0.9,
    whole: false,
  },
  seed: {
    flag: "--seed",
    description: "decides what each session does with its claims and for how long it works",
    default: null,
    min: 0,
    max: 2 ** 32 - 1,
    whole: true,
  },
} as const satisfies Partial<Record<keyof SimulationOptions, NumberOption>>;

/** The tasks of a real project. The file is part of the package. */
export const DEFAULT_FILE = fileURLToPath(
  new URL("../../../examples/provider-integration.json", import.meta.url),
);

/** A setting is invalid. The message names the option and the cure. */
export class SimulationOptionError extends Error {
  override readonly name = "SimulationOptionError";
}

export type GivenOptions = Partial<Record<keyof SimulationOptions, string>>;

/**
 * The settings of a run, from the texts of the command line.
 *
 * @throws SimulationOptionError
 */
export function parseOptions(given: GivenOptions): SimulationOptions {
  const number = (name: keyof typeof NUMBER_OPTIONS): number => parseNumber(name, given[name]);
  const options = {
    sessions: number("sessions"),
    workers: number("workers"),
    crashRate: number("crashRate"),
    failRate: number("failRate"),
    seed: number("seed"),
    file: given.file ?? DEFAULT_FILE,
  };
  if (options.crashRate + options.failRate > 0.9) {
    throw new SimulationOptionError(
      "--crash-rate and --fail-rate together must be at most 0.9, because some attempts must succeed",
    );
  }
  return options;
}

function parseNumber(name: keyof typeof NUMBER_OPTIONS, text: string | undefined): number {
  const { flag, min, max, whole, default: fallback } = NUMBER_OPTIONS[name];
  if (text === undefined) return fallback ?? Math.floor(Math.random() * 2 ** 32);
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new SimulationOptionError(
    `${flag} must be a ${whole ? "whole number" : "number"} from ${min} to ${max}, not "${text}"`,
  );
}
