/** `if-coordinator dev` as a process, with its own ports and store folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { type CliOptions, CliProcess } from "./cli-process.ts";
import { serverBinary } from "./nats-server.ts";

export class Dev extends CliProcess {
  readonly storeDir: string;

  private constructor(storeDir: string, args: readonly string[], options: CliOptions) {
    super(["dev", "--port", "0", "--http-port", "0", "--store-dir", storeDir, ...args], options);
    this.storeDir = storeDir;
  }

  /** It does not wait until `dev` is ready. Later arguments win, so `--port` can be given. */
  static async launch(
    storeDir: string,
    args: readonly string[] = [],
    options: CliOptions = {},
  ): Promise<Dev> {
    const IF_COORDINATOR_NATS_SERVER = await serverBinary();
    return new Dev(storeDir, args, {
      ...options,
      env: { IF_COORDINATOR_NATS_SERVER, ...options.env },
    });
  }

  /** Resolves when `dev` says that it is ready. */
  static async start(...parameters: Parameters<typeof Dev.launch>): Promise<Dev> {
    const dev = await Dev.launch(...parameters);
    await dev.waitFor(/Ctrl-C stops everything/);
    return dev;
  }

  async natsUrl(): Promise<string> {
    return (await this.waitFor(/NATS +(nats:\S+)/))[1] ?? "";
  }

  async httpUrl(): Promise<string> {
    return (await this.waitFor(/HTTP +(http:\S+)\/metrics/))[1] ?? "";
  }

  serverPid(): number {
    return Number(readFileSync(join(this.storeDir, "run", "nats-server.pid"), "utf8"));
  }

  /** If `dev` was killed, its server is still running and is stopped here. */
  override async [Symbol.asyncDispose](): Promise<void> {
    let pid: number | undefined;
    try {
      pid = this.serverPid();
    } catch {
      // `dev` has stopped its server, or has not started it.
    }
    await super[Symbol.asyncDispose]();
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // The process has ended already.
    }
  }
}

/** Sends one request with a plain NATS client. */
export async function request(url: string, subject: string, body: object): Promise<unknown> {
  const connection = await connect({ servers: url });
  try {
    return (await connection.request(subject, JSON.stringify(body))).json();
  } finally {
    await connection.close();
  }
}

/**
 * Matches log lines about a problem. A line that disconnect reports are not available does not count: that is
 * normal with nats-server 2.11 for clients in the default account.
 */
export const TROUBLE = /disconnected|WARN(?! +lost connections are not)|ERROR/;
