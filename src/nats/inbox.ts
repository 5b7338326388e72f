/** Inboxes: subjects on which one connection receives what is sent to it alone. */
import { errors, type NatsConnection } from "@nats-io/nats-core";
import { ConnectionError } from "./connection.ts";
import { randomKey } from "./random-keys.ts";

/** A new subject that no other connection uses. Those that the library makes can be guessed from each other. */
export function newInbox(connection: NatsConnection): string {
  return `${inboxPrefixOf(connection)}.${randomKey()}`;
}

/**
 * Checks that replies can arrive. A user who may not subscribe to the inbox would only see timeouts.
 *
 * @throws ConnectionError if the user may not subscribe to it
 */
export async function requireInbox(connection: NatsConnection): Promise<void> {
  const refusal = await new Promise<Error | null>((resolve) => {
    const probe = connection.subscribe(newInbox(connection), {
      callback: (error) => {
        resolve(error);
      },
    });
    const over = (): void => {
      probe.unsubscribe();
      resolve(null);
    };
    // If the connection breaks, nothing was refused.
    connection.flush().then(over, over);
  });
  if (refusal === null) return;
  throw new ConnectionError(inboxRefusal(connection), { cause: refusal });
}

/** Whether the error says that the server does not permit the connection to receive replies. */
export function isInboxRefusal(connection: NatsConnection, error: unknown): boolean {
  return (
    error instanceof errors.PermissionViolationError &&
    error.operation === "subscription" &&
    error.subject.startsWith(`${inboxPrefixOf(connection)}.`)
  );
}

export function inboxRefusal(connection: NatsConnection): string {
  return (
    `the NATS server does not permit subscribing to ${inboxPrefixOf(connection)}.>, where replies are ` +
    "received: permit it, or set the prefix that the user may subscribe to as nats.inbox_prefix, which " +
    "a program gives as config.inboxPrefix"
  );
}

function inboxPrefixOf(connection: NatsConnection): string {
  // The type does not declare the options, but the library's own packages read them here too.
  const { options } = connection as NatsConnection & { options?: { inboxPrefix?: string } };
  return options?.inboxPrefix ?? "_INBOX";
}
