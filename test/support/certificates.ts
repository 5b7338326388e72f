/**
 * Issues certificates for tests of TLS, as files:
 *
 *     const authority = new Authority("a test");
 *     const { cert, key } = await authority.issue(folder, "server", { ips: ["127.0.0.1"] });
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CertificateOptions,
  Authority as CertificateAuthority,
} from "../../src/auth/certificates.ts";

/** Paths of PEM files. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

export class Authority {
  readonly #name: string;
  readonly #authority: CertificateAuthority;

  constructor(name: string) {
    this.#name = name;
    this.#authority = new CertificateAuthority(name);
  }

  /** Path of the certificate of the authority itself. */
  async certificate(folder: string): Promise<string> {
    const path = join(folder, `${this.#name}.pem`);
    await writeFile(path, this.#authority.certificate());
    return path;
  }

  async issue(
    folder: string,
    subject: string,
    options: CertificateOptions = {},
  ): Promise<IssuedCertificate> {
    const issued = this.#authority.issue(subject, options);
    const [cert, key] = [join(folder, `${subject}.pem`), join(folder, `${subject}.key`)];
    await writeFile(cert, issued.cert);
    await writeFile(key, issued.key);
    return { cert, key };
  }
}
