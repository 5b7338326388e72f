/** The figures that a worker (metrics) and a NATS server (monitoring) serve by HTTP. */
import { get } from "node:http";
import { z } from "zod";

/** Each request has its own connection: a kept one would count among the descriptors. */
export function fetchText(url: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(url, { agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve(Buffer.concat(chunks).toString("utf8"));
      });
    });
    request.on("error", reject);
  });
}

/** The values of metrics without labels, in the format of Prometheus. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.matchAll(/^(\w+) (\S+)$/gm);
  return new Map([...lines].map(([, name = "", value = ""]) => [name, Number(value)]));
}

const variables = z.object({ connections: z.number(), subscriptions: z.number() });

export type NodeFigures = z.output<typeof variables>;

/** From the /varz of a server. */
export function parseNode(text: string): NodeFigures {
  return variables.parse(JSON.parse(text));
}
