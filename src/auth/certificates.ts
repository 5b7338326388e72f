/**
 * Issues certificates for TLS. It writes DER itself, because Node can read certificates but not issue them, and
 * a machine may not have openssl.
 *
 *     const authority = new Authority("if-coordinator");
 *     const { cert, key } = authority.issue("nats", { names: ["localhost"], ips: ["127.0.0.1"] });
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv6 } from "node:net";

/** In PEM form. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  readonly names?: readonly string[];
  /** IPv4 and IPv6 addresses. */
  readonly ips?: readonly string[];
  /** Before the year 2050. Default: in ten years. */
  readonly expiresAt?: Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const LIFE_MS = 3_650 * DAY_MS;
/** A certificate is valid although the clock of a machine is slow. */
const BACKDATED_MS = 2 * DAY_MS;

/** An authority with a new key. The key is not kept, so it issues nothing later. */
export class Authority {
  readonly #name: string;
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

  constructor(name: string) {
    this.#name = name;
  }

  /** The certificate of the authority itself, in PEM form. */
  certificate(expiresAt = new Date(Date.now() + LIFE_MS)): string {
    const extensions = [
      extension(BASIC_CONSTRAINTS, sequence(BOOLEAN_TRUE), true),
      extension(KEY_USAGE, MAY_SIGN_CERTIFICATES, true),
      extension(SUBJECT_KEY_ID, der(0x04, keyId(this.#keys.publicKey))),
    ];
    return this.#sign(this.#name, this.#keys.publicKey, expiresAt, extensions);
  }

  issue(
    subject: string,
    { names = [], ips = [], expiresAt = new Date(Date.now() + LIFE_MS) }: CertificateOptions = {},
  ): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const alternatives = [
      ...names.map((name) => der(0x82, Buffer.from(name))),
      ...ips.map((ip) => der(0x87, addressBytes(ip))),
    ];
    // OpenSSL in its strict mode, which is the default of Python, requires the ids of the keys.
    const extensions = [
      extension(BASIC_CONSTRAINTS, sequence(), true),
      extension(KEY_USAGE, MAY_SIGN_MESSAGES, true),
      extension(SUBJECT_KEY_ID, der(0x04, keyId(publicKey))),
      extension(AUTHORITY_KEY_ID, sequence(der(0x80, keyId(this.#keys.publicKey)))),
      ...(alternatives.length === 0
        ? []
        : [extension(ALTERNATIVE_NAMES, sequence(...alternatives))]),
    ];
    return {
      cert: this.#sign(subject, publicKey, expiresAt, extensions),
      key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    };
  }

  #sign(subject: string, key: KeyObject, expiresAt: Date, extensions: readonly Buffer[]): string {
    const validFrom = new Date(Math.min(Date.now(), expiresAt.getTime()) - BACKDATED_MS);
    const content = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))), // Version 3.
      der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      sequence(ECDSA_SHA256),
      nameOf(this.#name),
      sequence(time(validFrom), time(expiresAt)),
      nameOf(subject),
      key.export({ type: "spki", format: "der" }),
      der(0xa3, sequence(...extensions)),
    );
    const signature = sign("sha256", content, this.#keys.privateKey);
    const whole = sequence(content, sequence(ECDSA_SHA256), bits(signature));
    const lines = whole.toString("base64").replace(/.{64}/g, "$&\n");
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  }
}

/** The usual choice of RFC 5280: the SHA-1 of the bits of the key. */
function keyId(key: KeyObject): Buffer {
  const point = key.export({ type: "spki", format: "der" }).subarray(-P256_POINT_BYTES);
  return createHash("sha1").update(point).digest();
}

/** The end of the encoded key: an uncompressed point of the curve. */
const P256_POINT_BYTES = 65;

function addressBytes(ip: string): Buffer {
  return isIPv6(ip) ? ipv6Bytes(ip) : Buffer.from(ip.split(".").map(Number));
}

/** `::` stands for as many zeros as are missing. */
function ipv6Bytes(ip: string): Buffer {
  const [head = "", tail = ""] = ip.split("::");
  const groupsOf = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array<number>(8 - first.length - last.length).fill(0);
  return Buffer.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}

/** Tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\D/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function nameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));
}

function extension(id: Buffer, value: Buffer, isCritical = false): Buffer {
  return sequence(id, ...(isCritical ? [BOOLEAN_TRUE] : []), der(0x04, value));
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

const BOOLEAN_TRUE = der(0x01, Buffer.from([0xff]));
const ECDSA_SHA256 = objectId("2a8648ce3d040302");
const COMMON_NAME = objectId("550403");
const BASIC_CONSTRAINTS = objectId("551d13");
const ALTERNATIVE_NAMES = objectId("551d11");
const KEY_USAGE = objectId("551d0f");
const SUBJECT_KEY_ID = objectId("551d0e");
const AUTHORITY_KEY_ID = objectId("551d23");
/** Bits of the key usage: keyCertSign and cRLSign; digitalSignature. */
const MAY_SIGN_CERTIFICATES = der(0x03, Buffer.from([1, 0x06]));
const MAY_SIGN_MESSAGES = der(0x03, Buffer.from([7, 0x80]));
