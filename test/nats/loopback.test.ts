import assert from "node:assert/strict";
import { it } from "node:test";
import { isLoopback } from "../../src/nats/loopback.ts";

it("recognizes the addresses of this machine, with and without a port", () => {
  const own = ["localhost", "127.0.0.1", "127.1.2.3:4222", "::1", "[::1]", "[::1]:4222"];
  const others = ["0.0.0.0", "10.0.0.1:4222", "127.example.org", "localhost.example.org", "::", ""];
  assert.deepEqual([...own, ...others].filter(isLoopback), own);
});
