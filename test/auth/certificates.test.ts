import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { Authority } from "../../src/auth/certificates.ts";

describe("an authority", () => {
  it("issues certificates that are valid for all names and addresses, and signed by it", () => {
    const authority = new Authority("ours");
    const issued = authority.issue("nats", {
      names: ["localhost", "nats-1.example.com"],
      ips: ["127.0.0.1", "10.1.2.255", "::1", "2001:db8::a:0:1", "1:2:3:4:5:6:7:8"],
    });
    const certificate = new X509Certificate(issued.cert);
    assert.equal(
      certificate.subjectAltName,
      "DNS:localhost, DNS:nats-1.example.com, IP Address:127.0.0.1, IP Address:10.1.2.255, " +
        "IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:A:0:1, IP Address:1:2:3:4:5:6:7:8",
    );
    const root = new X509Certificate(authority.certificate());
    assert.equal(root.ca, true);
    assert.ok(certificate.verify(root.publicKey));
    // By the ids of the keys, too.
    assert.ok(certificate.checkIssued(root));
    assert.ok(
      !certificate.verify(new X509Certificate(new Authority("ours").certificate()).publicKey),
    );
    const years = (Date.parse(certificate.validTo) - Date.now()) / (365 * 86_400_000);
    assert.ok(Math.abs(years - 10) < 0.01, certificate.validTo);
    assert.ok(Date.parse(certificate.validFrom) < Date.now());
  });
});
