/** The events of clients and of git at which a hook runs. */
import { type HookInput, readHookInput } from "./hook-input.ts";

export const EVENTS = ["session-start", "pre-tool-use", "stop", "session-end", "pre-push"] as const;
export type EventName = (typeof EVENTS)[number];

const NOTHING: HookInput = { sessionId: undefined, command: "", isSecondStop: false };

/** What the client says of the event. Git gives a pre-push hook other lines. */
export function inputOf(event: EventName): HookInput {
  return event === "pre-push" ? NOTHING : readHookInput();
}
