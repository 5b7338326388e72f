/** What a tool of the server consists of. */
import type { z } from "zod";
import type { Agent, CallId } from "./agent.ts";
import type { View } from "./task-view.ts";
import { type ArgumentSchema, parseArguments, toArgumentSchema } from "./tool-arguments.ts";

/** One call of a tool. */
export interface Call {
  readonly agent: Agent;
  readonly id: CallId;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
  /** Tells the client that the call is alive, if it wants to know. */
  readonly progress: (elapsedSeconds: number, totalSeconds: number) => void;
}

/** What the model gets. The notices are those of the session. */
export interface Answer {
  readonly session: string;
  readonly view: View;
}

interface Description {
  readonly name: string;
  readonly description: string;
  /** Whether it changes nothing, so that a client need not ask its user. */
  readonly isReadOnly?: boolean;
}

export interface Tool extends Description {
  readonly arguments: ArgumentSchema;
  /** @throws ToolError, TaskError, ConnectionError; the signal's reason */
  run(given: unknown, call: Call): Promise<Answer>;
}

/** A tool with arguments that its schema has checked. */
export function defineTool<T>(
  schema: z.ZodType<T>,
  { run, ...description }: Description & { readonly run: (args: T, call: Call) => Promise<Answer> },
): Tool {
  return {
    ...description,
    arguments: toArgumentSchema(schema),
    run: async (given, call) => await run(parseArguments(schema, given), call),
  };
}
