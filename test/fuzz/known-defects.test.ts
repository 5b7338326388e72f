/**
 * Defects that `npm run fuzz` has found and that are not mended yet: each is found, by what it does. When
 * one of these tests fails, the defect is gone: remove it from `KNOWN_DEFECTS`, and it stays gone.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messages } from "../../scripts/fuzz/generator.ts";
import { type Hazard, KNOWN_DEFECTS } from "../../scripts/fuzz/hazards.ts";
import { runMutations } from "../../scripts/fuzz/mutation-run.ts";
import { runFuzz } from "../../scripts/fuzz/run.ts";
import { InProcessTarget } from "./in-process-target.ts";

const SEED = 1;

/** What the fuzz says of it. */
const SYMPTOMS: Readonly<Record<Hazard, RegExp>> = {
  "reply into a bucket": /a bucket changed[^]*\+ KV_tasks \d+ \$KV\.tasks\.(held|evil)/,
  "invalid utf-8": /answered \{"ok":true.* instead of invalid_request/,
  "metadata named __proto__": /metadata was \{.*"__proto__".*\} and is/,
  "refused import": /revisions of tasks, leases, sessions: .* instead of/,
  "refused registration": /revisions of tasks, leases, sessions: .* instead of/,
  "unanswered cycle": /0 of 1 answers/,
};

describe("a known defect", () => {
  for (const hazard of KNOWN_DEFECTS) {
    it(`KNOWN DEFECT (${hazard}): is found`, async () => {
      await using target = await InProcessTarget.start();
      const hazards = new Set([hazard]);
      const maxPayload = target.connection.info?.max_payload ?? 0;
      const options = { seed: SEED, hazards, deadlineMs: 1_500 };
      const isAboutContent = hazard === "reply into a bucket" || hazard === "invalid utf-8";
      const { problems } = isAboutContent
        ? await runFuzz(target, messages({ maxPayload, hazards }), { ...options, messages: 1_000 })
        : await runMutations(target, { ...options, messages: 300 });
      const found = problems.map(({ what }) => what);
      assert.ok(
        found.some((what) => SYMPTOMS[hazard].test(what)),
        `the fuzz found ${found.length === 0 ? "nothing" : found.join("\n")}`,
      );
    });
  }
});
