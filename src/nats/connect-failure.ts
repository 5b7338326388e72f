/** Why a NATS server cannot be reached, and what an operator can do about it. */
import { AuthorizationError } from "@nats-io/transport-node";
import { LoginFileError, type LoginNames } from "./login.ts";
import {
  ClientCertificateMissingError,
  ClientCertificateRefusedError,
  NoTlsError,
} from "./patched-transport.ts";

/** OpenSSL's codes for a certificate that no trusted authority has signed. */
const UNTRUSTED = [
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

export interface FailedAttempt {
  readonly error: unknown;
  readonly names: LoginNames;
  /** Whether `nats.ca_cert` was set. Otherwise the system's authorities verified the server. */
  readonly hasCaCert: boolean;
}

/** What the operator can do; `null` if the message of the error already says it. */
export function cureOf({ error, names, hasCaCert }: FailedAttempt): string | null {
  if (error instanceof LoginFileError) return null;
  if (error instanceof AuthorizationError) return `check ${names.user}`;
  if (error instanceof NoTlsError) {
    return (
      "nothing was sent. Configure TLS in the server; or, to send everything in clear, use nats:// " +
      "for every server, and no certificates"
    );
  }
  if (error instanceof ClientCertificateMissingError) {
    return `set ${names.keyAndCert}`;
  }
  if (error instanceof ClientCertificateRefusedError) {
    return `use one that the server trusts: set ${names.keyAndCert}`;
  }
  const code = codeOf(error);
  if (UNTRUSTED.includes(code)) {
    return hasCaCert
      ? `the server's certificate was not issued by the authority in ${names.caCert}: use the one that ` +
          "issued it"
      : "this machine does not know the authority that issued the server's certificate: set the " +
          `path of its certificate as ${names.caCert}`;
  }
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return (
        "the server's certificate is for another host: use a name of the certificate in the server's " +
        "URL, or give the server a certificate for this one"
      );
    case "CERT_HAS_EXPIRED":
      return "give the server a new certificate";
    case "CERT_NOT_YET_VALID":
      return "check the clock of this machine and the server's certificate";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `correct the host name in ${names.servers}`;
  }
  return `start a server, or name another with ${names.servers}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
