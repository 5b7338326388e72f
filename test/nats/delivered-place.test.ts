import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DeliveredPlaces } from "../../src/nats/delivered-place.ts";

describe("the place of a message among those that a consumer delivers", () => {
  it("is read from the reply subject", () => {
    const places = new DeliveredPlaces();
    const first = places.read("$JS.ACK.KV_tasks.c1.1.1201.1.1700000000123456789.47");
    assert.deepEqual(first, {
      sequence: 1201,
      delivery: 1,
      storedAt: 1_700_000_000_123.4568,
      pending: 47,
    });
    const next = places.read("$JS.ACK.KV_tasks.c1.1.1300.2.1700000000999000000.0");
    assert.deepEqual(next, {
      sequence: 1300,
      delivery: 2,
      storedAt: 1_700_000_000_999,
      pending: 0,
    });
  });

  it("is read from the form with a domain, an account and a random token", () => {
    const places = new DeliveredPlaces();
    for (const [sequence, pending] of [
      [12, 3],
      [13, 0],
    ]) {
      const subject = `$JS.ACK.hub.AbC123.KV_tasks.c1.1.${sequence}.7.1700000000000000000.${pending}.xyz`;
      assert.deepEqual(places.read(subject), {
        sequence,
        delivery: 7,
        storedAt: 1_700_000_000_000,
        pending,
      });
    }
  });

  it("is missing if the message is a status", () => {
    const places = new DeliveredPlaces();
    assert.ok(places.read("$JS.ACK.S.c.1.1.1.1700000000000000000.0") !== null);
    for (const subject of [undefined, "", "$JS.FC.KV_tasks.c1.abc", "a.reply.of.something.else"]) {
      assert.equal(places.read(subject), null);
    }
  });
});
