/** The secured set-up of `dev --secure`, in the store folder. It is made at the first start. */
import { join, resolve } from "node:path";
import { AuthFolder } from "../../auth/auth-folder.ts";
import { initSetUp, serverConfigOf, writeServerFiles } from "../../auth/init-set-up.ts";
import type { Visibility } from "../../protocol/visibility.ts";
import { SERVER_HOST } from "../../nats-server/dev-server.ts";

export interface SecureSetUp {
  readonly folder: AuthFolder;
  /** For the NATS server. */
  readonly serverConfig: string;
  /** Path of the certificate of the authority. `null`: the server has no TLS. */
  readonly caFile: string | null;
}

/** @throws AuthError */
export async function openSecureSetUp(
  storeDir: string,
  port: number,
  /** Of a set-up that is made now. */
  visibility: Visibility,
): Promise<SecureSetUp> {
  const path = folderIn(storeDir);
  const place = placeOf(storeDir, port, "nats");
  const folder = (await AuthFolder.isThere(path))
    ? await AuthFolder.open(path)
    : await initSetUp(path, { ...place, visibility, tlsFor: null });
  const serverConfig = await serverConfigOf(folder, place);
  return { folder, serverConfig, caFile: await folder.caFile() };
}

/** Notes where the server is now, for `auth` and for `serve`. @returns its URL */
export async function notePort(
  { folder, caFile }: SecureSetUp,
  storeDir: string,
  port: number,
): Promise<string> {
  const place = placeOf(storeDir, port, caFile === null ? "nats" : "tls");
  await writeServerFiles(folder, place);
  return place.server;
}

export function hasSecureSetUp(storeDir: string): Promise<boolean> {
  return AuthFolder.isThere(folderIn(storeDir));
}

function folderIn(storeDir: string): string {
  return join(storeDir, "auth");
}

function placeOf(storeDir: string, port: number, scheme: string) {
  return {
    server: `${scheme}://${SERVER_HOST}:${port}`,
    host: SERVER_HOST,
    port,
    // The server that `dev` starts has its data there.
    storeFolder: resolve(storeDir, "nats"),
  };
}
