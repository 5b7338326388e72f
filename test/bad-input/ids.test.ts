import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NoRespondersError, RequestError } from "@nats-io/nats-core";
import { OPERATION_IDS, OPERATION_NAMES } from "../../src/protocol/operations.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { RawConnection } from "./raw-connection.ts";
import { assertRefused, revision } from "./refusal.ts";

const RULE = "1 to 256 characters out of A-Z a-z 0-9 _ = / - and single dots between them";
const TOO_LONG = "a".repeat(257);

/** Bad ids that NATS lets through as the end of a subject. */
const IN_SUBJECTS = ["*", ">", "$", "a.*", "a.>", "$KV.tasks.a", "x;rm", "é", TOO_LONG];
/** Bad ids that it delivers to nobody: they have an empty token. */
const EMPTY_TOKENS = ["", "a..b", ".a", "a."];
const ALL = ["x; rm -rf /", "a b", "a\nb", "a\u0000b", ...EMPTY_TOKENS, ...IN_SUBJECTS];

const withId = OPERATION_NAMES.filter((operation) => OPERATION_IDS[operation] !== "none");

describe("a bad id", () => {
  let coordinator: TestCoordinator;
  before(async () => {
    coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
  });
  after(() => coordinator[Symbol.asyncDispose]());

  for (const operation of withId) {
    it(`at the end of ${operation} is refused with the rule`, async () => {
      const field = operation.startsWith("sessions.") ? "session_id" : "task_id";
      for (const id of IN_SUBJECTS) {
        const says = [`${field}: "${id.slice(0, 100)}`, RULE];
        const refusal = { code: "invalid_request", field, says } as const;
        await assertRefused(coordinator, `${operation}.${id}`, {}, refusal);
      }
    });
  }

  it("with an empty token reaches nobody, and NATS says so at once", async () => {
    for (const operation of withId) {
      for (const id of EMPTY_TOKENS) {
        await assert.rejects(coordinator.request(`${operation}.${id}`), (error) => {
          const cause = error instanceof RequestError ? error.cause : error;
          return cause instanceof NoRespondersError;
        });
      }
    }
  });

  it("with spaces is not a subject to NATS, which ends the connection of the client that sends it", async () => {
    const before = await revision(coordinator);
    await using raw = await RawConnection.open(coordinator.server.port);
    raw.publish("tasks.create.x; rm -rf /", "reply", "{}");
    await raw.closed();
    assert.equal(await revision(coordinator), before);
    await assert.rejects(coordinator.request("tasks.create.x; rm -rf /"), /subject/);
  });

  it("is refused as the task_id of a body", async () => {
    const says = ["task_id: must be a task id", RULE];
    for (const task_id of ALL) {
      const refusal = { code: "invalid_request", field: "task_id", says } as const;
      await assertRefused(coordinator, "tasks.create", { task_id }, refusal);
    }
  });

  it("is refused in an import, of which nothing is created", async () => {
    for (const task_id of ALL) {
      const tasks = [{ task_id: "first" }, { task_id }];
      await assertRefused(
        coordinator,
        "tasks.import",
        { tasks },
        {
          code: "invalid_request",
          field: "tasks.1.task_id",
          says: ["tasks.1.task_id: must be a task id", RULE],
        },
      );
    }
    assert.equal((await coordinator.refused("tasks.get.first")).code, "not_found");
  });

  it("is refused as a dependency and as a session", async () => {
    for (const id of ALL) {
      await assertRefused(
        coordinator,
        "tasks.create.b",
        { depends_on: ["a", id] },
        {
          code: "invalid_request",
          field: "depends_on.1",
          says: ["depends_on.1: must be a task id", RULE],
        },
      );
      await assertRefused(
        coordinator,
        "tasks.claim.a",
        { session_id: id },
        {
          code: "invalid_request",
          field: "session_id",
          says: ["session_id: must be a session id", RULE],
        },
      );
    }
  });

  it("that is missing is asked for, and one too many is refused", async () => {
    await assertRefused(
      coordinator,
      "tasks.claim",
      { session_id: "s1" },
      {
        code: "invalid_request",
        says: ["the task id is missing: send the request to tasks.claim.<task_id>"],
      },
    );
    await assertRefused(
      coordinator,
      "sessions.register",
      {},
      {
        code: "invalid_request",
        says: ["the session id is missing: send the request to sessions.register.<session_id>"],
      },
    );
    await assertRefused(
      coordinator,
      "tasks.list.a",
      {},
      {
        code: "invalid_request",
        says: ["tasks.list takes no id: send the request to tasks.list itself"],
      },
    );
    await assertRefused(
      coordinator,
      "tasks.create.a",
      { task_id: "b" },
      {
        code: "invalid_request",
        field: "task_id",
        says: ["the subject says a and the body b: name the task once"],
      },
    );
  });

  it("is none if it has 256 characters, slashes, or dots between its parts", async () => {
    for (const id of ["b".repeat(256), "P0.5.1", "docs/intro", "a=b", "_", "-", "tasks.create"]) {
      const { task } = await coordinator.ok(`tasks.create.${id}`);
      assert.equal(task.task_id, id);
      const { attempt } = await coordinator.ok(`tasks.claim.${id}`, { session_id: id });
      assert.equal(attempt, 1);
    }
  });
});
