/** What a client tells its hook, as JSON on standard input. Each client has names of its own. */
import { fstatSync, readFileSync } from "node:fs";

export interface HookInput {
  /** The client's id of the agent's session. */
  readonly sessionId: string | undefined;
  /** The command that the agent is about to run. */
  readonly command: string;
  /** Whether a hook has kept the agent from stopping already. */
  readonly isSecondStop: boolean;
}

const STDIN = 0;

let input: HookInput | undefined;

/** Empty if there is no JSON. It can be read only once, so it is kept. */
export function readHookInput(): HookInput {
  input ??= parseInput();
  return input;
}

function parseInput(): HookInput {
  const given = readJson();
  const tool = isObject(given.tool_input) ? given.tool_input : given;
  return {
    sessionId: textOf(given.session_id ?? given.conversation_id ?? given.thread_id),
    command: textOf(tool.command) ?? "",
    isSecondStop: given.stop_hook_active === true || Number(given.loop_count ?? 0) > 0,
  };
}

/** Commands that others see the effect of. */
const PUBLISHING = [
  /\bgit\b[^|;&\n]*\bpush\b/,
  /\b(?:npm|pnpm|yarn|bun|cargo|poetry|gem)\s+(?:publish|push)\b/,
  /\btwine\s+upload\b/,
  /\bgh\s+(?:pr\s+(?:create|merge)|release\s+create)\b/,
  /\b(?:docker|podman)\s+(?:image\s+)?push\b/,
  /\b(?:kubectl|terraform)\s+apply\b/,
];

export function publishes(command: string): boolean {
  return PUBLISHING.some((pattern) => pattern.test(command));
}

function readJson(): Readonly<Record<string, unknown>> {
  try {
    // A terminal has no event. `process.stdin` would say that, too, but takes time to load.
    if (fstatSync(STDIN).isCharacterDevice()) return {};
    const given: unknown = JSON.parse(readFileSync(STDIN, "utf8"));
    return isObject(given) ? given : {};
  } catch {
    return {};
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
