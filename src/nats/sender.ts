/** Who is charged for a request. */
import { formatPrincipal, type Principal } from "../protocol/subjects.ts";

/**
 * The principal, such as `agent.s1`. Without one, the connection stands for it: a client library receives all
 * its answers under one subject, to which it adds a token for each request. A client that invents such
 * subjects can pretend to be many.
 */
export function senderOf(principal: Principal | null, replyTo: string): string {
  if (principal !== null) return formatPrincipal(principal);
  const end = replyTo.lastIndexOf(".");
  // With a single token after the prefix, the subject is that of one request.
  return end <= replyTo.indexOf(".") ? replyTo : replyTo.slice(0, end);
}
