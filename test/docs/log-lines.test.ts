import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { documents, read } from "../support/markdown.ts";

/** Where the texts of log lines are. */
const SOURCES = ["src/telemetry/log-lines.ts", "src/nats/kv-watch.ts"].map(read).join("\n");

/** A log line that a document quotes, as in: logs `bucket created`. */
const QUOTE = /\blogs? (?:the error )?`([^`]+)`/g;

describe("the log lines in the documents", () => {
  it("are those of the code", () => {
    const quotes = documents().flatMap((path) =>
      [...read(path).matchAll(QUOTE)].map(([, text = ""]) => ({ path, text })),
    );
    assert.ok(quotes.some(({ text }) => text === "bucket created"));
    const unknown = quotes.filter(
      ({ text }) => !text.split(" ... ").every((part) => SOURCES.includes(part)),
    );
    assert.deepEqual(unknown, []);
  });
});
