/** A command that sends a few requests: how it goes on when its quick connection is lost. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CONNECTION_NAMES } from "../../../src/cli/shared/client.ts";
import { type OpenRequester, openRequester } from "../../../src/cli/shared/quick-requester.ts";
import { RequestFailedError } from "../../../src/nats/requester.ts";
import { TestServer } from "../../support/nats-server.ts";

async function requesterTo(server: TestServer): Promise<OpenRequester> {
  const requester = await openRequester({ servers: [server.url] }, CONNECTION_NAMES);
  assert.ok(requester !== null);
  return requester;
}

function fails(problem: string): (error: unknown) => boolean {
  return (error) => error instanceof RequestFailedError && error.problem === problem;
}

describe("the requests of a command", () => {
  it("go on over another connection after a loss", async () => {
    await using server = await TestServer.start({ jetstream: false });
    const requester = await requesterTo(server);
    await assert.rejects(requester.request("echo", "a", 5_000), fails("no_responders"));
    await server.kill();
    // Nothing was sent, so that a caller may always try again.
    await assert.rejects(requester.request("echo", "a", 5_000), fails("disconnected"));
    await server.restart();
    const other = await server.connect();
    other.subscribe("echo", {
      callback: (_, msg) => {
        msg.respond(msg.data);
      },
    });
    await other.flush();
    assert.equal(await requester.request("echo", "b", 5_000), "b");
    await requester.close();
  });

  it("do not use a connection again that has not answered in time", async () => {
    await using server = await TestServer.start({ jetstream: false });
    const other = await server.connect();
    const names: string[] = [];
    other.subscribe("silent", {
      callback: (_, { reply = "" }) => {
        names.push(reply.split(".").slice(0, 2).join("."));
      },
    });
    await other.flush();
    const requester = await requesterTo(server);
    await assert.rejects(requester.request("silent", "", 10), fails("timeout"));
    await assert.rejects(requester.request("silent", "", 10), fails("timeout"));
    await requester.close();
    assert.equal(new Set(names).size, 2);
  });

  it("cannot be sent where nobody listens", async () => {
    assert.equal(await openRequester({ servers: ["127.0.0.1:9"] }, CONNECTION_NAMES), null);
  });
});
