/** `if-coordinator dev` as a process, on ports and a store folder of its own. */
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

  /** Does not wait for anything. Later arguments win: `--port` can be given. */
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

  /** Resolves when it says that it runs. */
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

  /** Also when it was killed: then its server goes on, and has to be ended for it. */
  override async [Symbol.asyncDispose](): Promise<void> {
    let pid: number | undefined;
    try {
      pid = this.serverPid();
    } catch {
      // It was stopped in order, or has not got that far.
    }
    await super[Symbol.asyncDispose]();
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}

/** One request as any NATS client makes it. */
export async function request(url: string, subject: string, body: object): Promise<unknown> {
  const connection = await connect({ servers: url });
  try {
    return (await connection.request(subject, JSON.stringify(body))).json();
  } finally {
    await connection.close();
  }
}

/**
 * Lines of a log at levels that something went wrong. That lost connections are not reported is no such
 * line: with nats-server 2.11 it is so for clients in the default account.
 */
export const TROUBLE = /disconnected|WARN(?! +lost connections are not)|ERROR/;
