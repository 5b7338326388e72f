import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaseRecord, readStored, storedSession } from "../../src/protocol/stored-records.ts";

describe("a lease or a session as it is stored", () => {
  const lease =
    '{"session_id":"s1","attempt":1,"fencing_token":7,"ttl_seconds":60,"progress":{"id":1970670598291982300}}';
  const session =
    '{"ttl_seconds":60,"registered_at":"2025-11-12T17:30:00.000Z","metadata":{"host":"a"}}';

  it("is read with its defaults", () => {
    assert.equal(readStored(leaseRecord, lease)?.confirmed, false);
    assert.deepEqual(readStored(storedSession, session)?.capabilities, []);
  });

  it("is refused if it does not fit the schema, or cannot be kept unchanged", () => {
    for (const text of ["", "7", "{}", lease.replace("300}", "290}")]) {
      assert.equal(readStored(leaseRecord, text), null);
    }
    assert.equal(readStored(storedSession, session.replace('"a"', '"\\ud800"')), null);
  });
});
