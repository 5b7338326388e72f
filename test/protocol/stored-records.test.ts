import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readLeaseRecord, readStored, storedSession } from "../../src/protocol/stored-records.ts";

describe("a lease or a session as it is stored", () => {
  const lease =
    '{"session_id":"s1","attempt":1,"fencing_token":7,"ttl_seconds":60,"progress":{"id":1970670598291982300}}';
  const session =
    '{"ttl_seconds":60,"registered_at":"2025-11-12T17:30:00.000Z","metadata":{"host":"a"}}';

  it("is read with its defaults", () => {
    assert.equal(readLeaseRecord(lease)?.confirmed, false);
    assert.deepEqual(readStored(storedSession, session)?.capabilities, []);
  });

  it("is refused if it does not fit the schema, or cannot be kept unchanged", () => {
    for (const text of ["", "7", "{}", lease.replace("300}", "290}")]) {
      assert.equal(readLeaseRecord(text), null);
    }
    assert.equal(readStored(storedSession, session.replace('"a"', '"\\ud800"')), null);
  });

  it("is a lease as written, without and with a connection", () => {
    const written = {
      ...{ session_id: "s1", attempt: 2, epoch: 1, fencing_token: 7, ttl_seconds: 60 },
      ...{ confirmed: true, progress: { percent: 40 } },
    };
    const connection = { server_id: "NABC", client_id: 7 };
    for (const record of [written, { ...written, connection }]) {
      assert.deepEqual(readLeaseRecord(JSON.stringify(record)), record);
    }
    const unreadable = { ...written, connection: { server_id: "", client_id: 7 } };
    assert.deepEqual(readLeaseRecord(JSON.stringify(unreadable)), { ...written, connection: null });
    for (const wrong of [
      { ttl_seconds: 0 },
      { attempt: -1 },
      { session_id: "a b" },
      { epoch: 0.5 },
    ]) {
      assert.equal(readLeaseRecord(JSON.stringify({ ...written, ...wrong })), null);
    }
  });
});
