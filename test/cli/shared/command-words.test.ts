import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inCommandWords } from "../../../src/cli/shared/command-words.ts";

describe("a message of the coordinator in the words of the command line", () => {
  const cases: readonly (readonly [string, string, string?])[] = [
    [
      "there is no task P0.5.1: create it with tasks.create.P0.5.1",
      'there is no task P0.5.1: create it with "if-coordinator task create P0.5.1"',
    ],
    [
      "there is no session s1: register it with sessions.register.s1",
      'there is no session s1: register it with "if-coordinator session register s1"',
    ],
    [
      "task a is claimed by s1: wait for its release, or ask for another with tasks.next",
      'task a is claimed by s1: wait for its release, or ask for another with "if-coordinator task next"',
    ],
    [
      "task a is complete: only tasks.requeue.a brings it back",
      'task a is complete: only "if-coordinator task requeue a" brings it back',
    ],
    [
      "there is no task with: tasks.create: create it with tasks.create.tasks.next",
      'there is no task with: tasks.create: create it with "if-coordinator task create tasks.next"',
    ],
    [
      "task a requires gpu: register the session with these capabilities, or name them in the request",
      "task a requires gpu: register the session with these capabilities, or name them with --capability",
    ],
    ["ttl_seconds: must be at most 10", "--ttl: must be at most 10", "ttl_seconds"],
    ["depends_on: the cycle a -> a", "--depends-on: the cycle a -> a", "depends_on"],
    ["tasks.0.title: is too long", "tasks.0.title: is too long", "tasks.0.title"],
    ["priority: of another field", "priority: of another field", "title"],
  ];
  for (const [message, expected, field] of cases) {
    it(`names commands and options: ${message}`, () => {
      assert.equal(inCommandWords(message, field), expected);
    });
  }
});
