/** Calls for programs, whose options may be misspelt. `Calls` itself loads fast, without schemas. */
import type { Operation, Reply } from "../protocol/operations.ts";
import { CALL_OPTIONS, type CallOptions } from "./call-options.ts";
import { Calls, type MakeBody } from "./calls.ts";
import { checkOptions } from "./check-options.ts";

export class CheckedCalls extends Calls {
  /** @throws TaskError; the signal's reason */
  override async call<O extends Operation>(
    operation: O,
    id: string | undefined,
    makeBody: MakeBody<O>,
    options: CallOptions = {},
    extraMs = 0,
  ): Promise<Reply<O>> {
    checkOptions(options, CALL_OPTIONS);
    return super.call(operation, id, makeBody, options, extraMs);
  }
}
