import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { assertRefused } from "./refusal.ts";

describe("a request with a bad body", () => {
  let coordinator: TestCoordinator;
  before(async () => {
    coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
  });
  after(() => coordinator[Symbol.asyncDispose]());

  it("without any body is told which field is missing", async () => {
    await assertRefused(coordinator, "tasks.claim.a", "", {
      code: "invalid_request",
      field: "session_id",
      says: ["session_id: is required", "must be a value of type string"],
    });
  });

  it("without any body is answered where no field is needed", async () => {
    const reply = await coordinator.connection.request("tasks.get.a", "");
    assert.equal(reply.json<{ ok: boolean }>().ok, true);
  });

  it("of malformed JSON is told where it stops being JSON", async () => {
    for (const body of ["{", '{"session_id":', "{'session_id':'s1'}", "session_id=s1", "\u0000"]) {
      await assertRefused(coordinator, "tasks.claim.a", body, {
        code: "invalid_request",
        says: ["the body is not valid JSON", "send a JSON object"],
      });
    }
  });

  it("of bytes that are no text is told that it is not valid JSON", async () => {
    await assertRefused(coordinator, "tasks.claim.a", new Uint8Array([0xff, 0xfe, 0x00, 0x80]), {
      code: "invalid_request",
      says: ["the body is not valid JSON"],
    });
  });

  it("of JSON that is not an object is told what it has to be", async () => {
    for (const [body, kind] of [
      ['["s1"]', "an array"],
      ['"s1"', "a string"],
      ["1", "a number"],
      ["true", "a boolean"],
      ["null", "null"],
    ] as const) {
      await assertRefused(coordinator, "tasks.claim.a", body, {
        code: "invalid_request",
        says: [
          `the body must be a JSON object, not ${kind}: `,
          'send a JSON object such as {"session_id":"session-1"}',
        ],
      });
    }
  });

  it("nested a hundred thousand levels deep is told to be flat", async () => {
    const body = `{"session_id":"s1","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    await assertRefused(coordinator, "tasks.claim.a", body, {
      code: "invalid_request",
      says: ["nested more than 64 levels deep", "flatten it"],
    });
  });

  it("with an unknown field is told its name and the fields there are", async () => {
    await assertRefused(
      coordinator,
      "tasks.claim.a",
      { session_id: "s1", sesion: "s1" },
      {
        code: "invalid_request",
        field: "sesion",
        says: [
          'unknown field "sesion"',
          "tasks.claim knows session_id, instance, ttl_seconds, capabilities",
        ],
      },
    );
    await assertRefused(
      coordinator,
      "tasks.stats",
      { verbose: true },
      {
        code: "invalid_request",
        field: "verbose",
        says: ['unknown field "verbose"', "tasks.stats knows no fields"],
      },
    );
  });

  it("with an unknown field in one of many tasks is told in which", async () => {
    const tasks = [{ task_id: "b" }, { task_id: "c", titel: "C" }];
    await assertRefused(
      coordinator,
      "tasks.import",
      { tasks },
      {
        code: "invalid_request",
        field: "tasks.1.titel",
        says: ['unknown field "tasks.1.titel"'],
      },
    );
  });

  it("with the field __proto__ is told that it is unknown", async () => {
    await assertRefused(coordinator, "tasks.claim.a", '{"session_id":"s1","__proto__":{"x":1}}', {
      code: "invalid_request",
      field: "__proto__",
      says: ['unknown field "__proto__"'],
    });
  });

  it("with a field of the wrong type is told the field, the type and the value", async () => {
    for (const [subject, body, field, must] of [
      ["tasks.claim.a", { session_id: 7 }, "session_id", "must be a value of type string, not 7"],
      ["tasks.create.b", { title: ["B"] }, "title", 'must be a value of type string, not ["B"]'],
      ["tasks.create.b", { priority: "high" }, "priority", 'of type number, not "high"'],
      ["tasks.create.b", { priority: 5 }, "priority", "must be between 0 (most urgent) and 4"],
      ["tasks.create.b", { depends_on: "a" }, "depends_on", 'of type array, not "a"'],
      ["tasks.create.b", { tags: [null] }, "tags.0", "must be a value of type string, not null"],
      ["tasks.create.b", { metadata: [] }, "metadata", "must be a value of type object, not []"],
      ["tasks.create.b", { max_failures: 0.5 }, "max_failures", "must be a whole number, not 0.5"],
      ["tasks.release.a", { session_id: "s", status: "done" }, "status", "must be one of"],
      ["tasks.list", { status: "done" }, "status", "must be one or a list of blocked, available"],
      ["tasks.list", { limit: 0 }, "limit", "must be at least 1"],
      ["tasks.list", { cursor: "page 2" }, "cursor", "use next_cursor of the previous page"],
      ["tasks.next", { session_id: "s", wait_seconds: 61 }, "wait_seconds", "between 0 and 60"],
      ["tasks.next", { session_id: "s", max: 1e9 }, "max", "must be at most 100"],
      ["tasks.changes", { since: -1 }, "since", "must be at least 0"],
      [
        "tasks.verify.a",
        {},
        "fencing_token",
        "name the fencing_token, the attempt or the session_id",
      ],
    ] as const) {
      const says = [`${field}: `, must];
      await assertRefused(coordinator, subject, body, { code: "invalid_request", field, says });
    }
  });

  it("with a ttl_seconds of 0, -1 or 1e9 is told the limits", async () => {
    const says = ["ttl_seconds: must be between 1 and 86400 seconds"];
    const refusal = { code: "invalid_request", field: "ttl_seconds", says } as const;
    for (const ttl_seconds of [0, -1, 1e9]) {
      const body = { session_id: "s1", ttl_seconds };
      await assertRefused(coordinator, "tasks.claim.a", body, refusal);
      await assertRefused(coordinator, "tasks.renew.a", body, refusal);
      await assertRefused(coordinator, "tasks.next", body, refusal);
      await assertRefused(coordinator, "sessions.register.s1", { ttl_seconds }, refusal);
    }
    await assertRefused(
      coordinator,
      "tasks.claim.a",
      { session_id: "s1", ttl_seconds: 1.5 },
      {
        code: "invalid_request",
        field: "ttl_seconds",
        says: ["ttl_seconds: must be a whole number, not 1.5"],
      },
    );
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "available");
  });

  it("to update nothing is told what there is to update", async () => {
    await assertRefused(
      coordinator,
      "tasks.update.a",
      {},
      {
        code: "invalid_request",
        says: ["nothing to update: name at least one of title"],
      },
    );
  });

  it("that makes tasks wait for each other is told the cycle", async () => {
    await coordinator.ok("tasks.create.late", { depends_on: ["later"] });
    await assertRefused(
      coordinator,
      "tasks.create.later",
      { depends_on: ["late"] },
      {
        code: "invalid_request",
        says: ["later -> late -> later"],
      },
    );
    const tasks = [
      { task_id: "x", depends_on: ["y"] },
      { task_id: "y", depends_on: ["z"] },
      { task_id: "z", depends_on: ["x"] },
    ];
    await assertRefused(
      coordinator,
      "tasks.import",
      { tasks },
      {
        code: "invalid_request",
        says: ["x", "y", "z", "->"],
      },
    );
  });

  it("that imports an id twice is told which", async () => {
    const tasks = [{ task_id: "twin" }, { task_id: "twin" }];
    await assertRefused(
      coordinator,
      "tasks.import",
      { tasks },
      {
        code: "invalid_request",
        field: "tasks.1.task_id",
        says: ["tasks.1.task_id: twin is named twice", "remove or rename one of them"],
      },
    );
  });
});
