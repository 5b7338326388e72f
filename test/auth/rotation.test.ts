/** Programs and workers that run while their credentials are replaced or revoked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { revokePrincipal, rotateCredentials } from "../../src/auth/principals.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { BusConnection } from "../../src/client/bus-connection.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { serveSecured } from "../support/secured-worker.ts";

const LOGGER = { debug: () => undefined, warn: () => undefined, error: () => undefined };

/** As `auth rotate` does: the file first, then the server. */
async function rotate(secured: SecuredServer, name: string): Promise<void> {
  const { folder } = secured;
  const { signed, credentials } = await rotateCredentials(folder, name, epochSeconds());
  await folder.keepCredentials(name, credentials);
  await secured.push(signed);
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A program with the credentials file of the folder. The cleanup disconnects it. */
async function programOf(
  secured: SecuredServer,
  cleanup: Cleanup,
  name: string,
): Promise<{ link: BusConnection; tasks: TaskClient }> {
  const link = new BusConnection({
    servers: [secured.server.url],
    credsFile: secured.folder.credentialsFile(name),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 0.05,
  });
  await link.connect();
  cleanup.defer(() => link.disconnect());
  return { link, tasks: new TaskClient(link, { logger: LOGGER }) };
}

describe("a rotation while everything runs", () => {
  it("leaves a program its claim, if the program reads the file that auth rotate writes", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await secured.add("s1");
    await serveSecured(secured, cleanup);
    const { link, tasks } = await programOf(secured, cleanup, "s1");
    await tasks.create("a", {});
    const { attempt } = await tasks.claim("a", { session_id: "s1" });
    // Twice: the second time, the credentials of the start are no longer valid either.
    for (let i = 0; i < 2; i++) {
      const back = new Promise<void>((resolve) => link.onReconnect(resolve));
      await rotate(secured, "s1");
      await back;
    }
    const { task } = await tasks.release("a", { session_id: "s1", attempt, status: "complete" });
    assert.equal(task.status, "complete");
  });

  it("does not stop workers, which read their files again", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await secured.add("s1");
    await serveSecured(secured, cleanup, {
      "nats.system_creds_file": secured.folder.credentialsFile("reports"),
      "nats.reconnect_time_wait": 1,
    });
    const { tasks } = await programOf(secured, cleanup, "s1");
    for (const user of ["worker", "reports", "admin"]) {
      await rotate(secured, user);
      await tasks.create(user, {});
    }
    await secured.server.stop();
    await secured.server.restart();
    const { revision } = await tasks.stats();
    assert.equal(revision, 3);
  });

  it("ends the connection of an agent that is revoked for good", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await secured.add("s1");
    const { link, tasks } = await programOf(secured, cleanup, "s1");
    await secured.push(await revokePrincipal(secured.folder, "s1", epochSeconds()));
    assert.match(String(await link.closed), /Authorization Violation/);
    await assert.rejects(tasks.stats(), {
      code: "unavailable",
      message:
        "the connection to NATS is lost for good (Authorization Violation): " +
        "the server no longer accepts the credentials",
    });
  });

  it("ends the connection of credentials that have expired, and says so", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await secured.add("s1");
    const account = await secured.folder.key("s1");
    assert.ok(account !== null);
    const user = createUser();
    const jwt = await encodeUser("s1", user, account, {}, { exp: epochSeconds() + 2 });
    const text = new TextDecoder().decode(fmtCreds(jwt, user));
    await secured.folder.keepCredentials("s1", text);
    const { link, tasks } = await programOf(secured, cleanup, "s1");
    await link.closed;
    await assert.rejects(tasks.stats(), {
      code: "unavailable",
      message: /is lost for good \(.*\): the server no longer accepts the credentials$/,
    });
  });
});
