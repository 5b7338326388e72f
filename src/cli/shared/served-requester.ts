/**
 * Requests for commands that also read or change the buckets. With `auth.mode: accounts`, workers serve nobody on
 * the plain subjects, not even the account that has the buckets. That account can send under any name, so these
 * commands are an operator.
 */
import type { Connection } from "../../nats/connection.ts";
import { createRequester, RequestFailedError, type Requester } from "../../nats/request.ts";
import { OPERATOR_ROOT } from "../../protocol/subjects.ts";

/** `auth` gives this name to nobody. */
const PREFIX = `${OPERATOR_ROOT}.worker`;
const TIMEOUT_MS = 5_000;

/** Requests as they are served: on the plain subjects, or on those of an operator. */
export async function servedRequester(connection: Connection): Promise<Requester> {
  const plain = createRequester(connection);
  const asOperator: Requester = {
    get maxPayload() {
      return plain.maxPayload;
    },
    get connectionId() {
      return plain.connectionId;
    },
    request: (subject, ...rest) => plain.request(`${PREFIX}.${subject}`, ...rest),
  };
  if (!(await isForbidden(plain))) return plain;
  // In any other account, nobody listens on these subjects.
  return (await isForbidden(asOperator)) ? plain : asOperator;
}

/** Whether even the counts are refused; `false` if nobody answers. */
async function isForbidden(requester: Requester): Promise<boolean> {
  try {
    const text = await requester.request("tasks.stats", "{}", TIMEOUT_MS);
    return (JSON.parse(text) as { error?: { code?: string } }).error?.code === "forbidden";
  } catch (error) {
    if (error instanceof RequestFailedError || error instanceof SyntaxError) return false;
    throw error;
  }
}
