/** `if-coordinator serve` as a process, for a server of the test, and the processes of its workers. */
import { execFileSync } from "node:child_process";
import { type CliOptions, CliProcess } from "./cli-process.ts";
import type { Json } from "./test-coordinator.ts";

export class Serve extends CliProcess {
  /** Resolves when `serve` says that it is ready. */
  static async start(
    natsUrl: string,
    args: readonly string[] = [],
    options: CliOptions = {},
  ): Promise<Serve> {
    const serve = new Serve(["serve", "--nats", natsUrl, "--http-port", "0", ...args], options);
    await serve.waitFor(/HTTP +http:/);
    return serve;
  }

  async get(path: string): Promise<Response> {
    const [, url = ""] = await this.waitFor(/HTTP +(http:\S+)\/metrics/);
    return fetch(url + path);
  }

  /** The samples of /metrics, by name and labels. */
  async metrics(): Promise<Map<string, number>> {
    const lines = (await (await this.get("/metrics")).text()).split("\n");
    const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      samples.map((line) => {
        const [name = "", value = ""] = line.split(" ");
        return [name, Number(value.replace("Nan", "NaN"))];
      }),
    );
  }

  /** The answer of /readyz: its status, and the health of all workers and of each one. */
  async readiness(): Promise<{
    code: number;
    status: string;
    problems: string[];
    warnings: string[];
    workers: Json[];
  }> {
    const response = await this.get("/readyz");
    return { code: response.status, ...((await response.json()) as any) };
  }

  /** Resolves when all workers are ready. */
  async ready(): Promise<void> {
    while ((await this.readiness()).code !== 200);
  }

  /** The processes of the workers. */
  workers(): { pid: number; args: string }[] {
    const listing = execFileSync("ps", ["-axo", "pid=,ppid=,args="], { encoding: "utf8" });
    const processes = [...listing.matchAll(/^ *(\d+) +(\d+) +(.*worker-main.*)$/gm)];
    return processes
      .filter(([, , parent]) => Number(parent) === this.pid)
      .map(([, pid, , args = ""]) => ({ pid: Number(pid), args }));
  }
}
