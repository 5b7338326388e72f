/** Waits of tools: how long they may take, and how they end early. */
import { z } from "zod";
import type { Call } from "./tool.ts";

/** Every known client waits this long for an answer. */
export const DEFAULT_WAIT_SECONDS = 45;
export const MAX_WAIT_SECONDS = 3_600;
const PROGRESS_MS = 5_000;

const RULE = `must be from 0 to ${MAX_WAIT_SECONDS} seconds`;
export const waitSeconds = z.number(RULE).min(0, RULE).max(MAX_WAIT_SECONDS, RULE);

/** The reason of a wait that ends because the session must learn something first. */
export const NOTICED = new Error("a notice has come");

export interface Wait {
  /** 0 if the session has to learn something first. */
  readonly seconds: number;
  /** Ends the wait early. */
  readonly signal: AbortSignal;
}

/**
 * Waits, and tells the client that the call is alive. A notice for the session ends the wait: then the
 * signal's reason is `NOTICED`.
 */
export async function whileWaiting<T>(
  { agent, signal, progress }: Call,
  session: string,
  wanted: number,
  wait: (wait: Wait) => Promise<T>,
): Promise<T> {
  const seconds = agent.notices.has(session) ? 0 : wanted;
  const noticed = new AbortController();
  const stopListening = agent.notices.onNext(session, () => {
    noticed.abort(NOTICED);
  });
  const started = performance.now();
  const timer = setInterval(() => {
    progress(Math.round((performance.now() - started) / 1000), seconds);
  }, PROGRESS_MS);
  try {
    return await wait({ seconds, signal: AbortSignal.any([signal, noticed.signal]) });
  } finally {
    clearInterval(timer);
    stopListening();
  }
}
