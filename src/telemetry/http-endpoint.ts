/** The HTTP endpoint for operators: metrics for Prometheus, and whether the worker is alive and ready. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Health } from "./health.ts";
import { type HttpAccess, isKnownHost, tokenCheck } from "./http-access.ts";
import type { Metrics } from "./metrics.ts";

export interface HttpEndpointOptions extends HttpAccess {
  /** 0 takes any free port. */
  readonly port: number;
  readonly metrics: Pick<Metrics, "render" | "contentType">;
  readonly health: () => Health | Promise<Health>;
}

export interface HttpEndpoint {
  /** Such as `http://127.0.0.1:9090`, with the actual port. */
  readonly url: string;
  /** Closes idle connections at once, lets answers under way finish, and closes the port. */
  stop(): Promise<void>;
}

/** How long `stop` waits for answers under way before it closes their connections, in milliseconds. */
export const STOP_GRACE_MS = 1_000;

const UNKNOWN_HOST = json(403, {
  error: "this host name is not known here: use an address, or add it to metrics.allowed_hosts",
});

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}
type Pages = Readonly<Record<string, (request: IncomingMessage) => Page | Promise<Page>>>;

/**
 * Serves `GET` and `HEAD` of `/metrics`, of `/healthz` (200 while the process lives) and of `/readyz` (200,
 * or 503 with the reason).
 *
 * @throws Error if it cannot listen, or cannot read the token; the message names the setting to change
 */
export async function startHttpEndpoint(options: HttpEndpointOptions): Promise<HttpEndpoint> {
  const pages = pagesOf(options, await tokenCheck(options));
  const server = createServer((request, response) => {
    // respond() does not reject: it answers errors with 500.
    if (isKnownHost(request.headers.host, options)) void respond(pages, request, response);
    else send(UNKNOWN_HOST, request, response);
  });
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  let stopped: Promise<void> | undefined;
  return { url: `http://${host}:${port}`, stop: () => (stopped ??= close(server)) };
}

function pagesOf(
  { metrics, health }: HttpEndpointOptions,
  isAllowed: (authorization: string | undefined) => boolean,
): Pages {
  return {
    "/metrics": async ({ headers }) =>
      isAllowed(headers.authorization)
        ? { status: 200, type: metrics.contentType, body: await metrics.render() }
        : json(401, { error: "the token is wrong or missing" }),
    "/healthz": () => json(200, { status: "alive" }),
    "/readyz": async () => {
      const { connected, ready, detail } = await health();
      const status = ready ? "ready" : connected ? "not ready" : "not connected to NATS";
      return json(ready ? 200 : 503, { ...detail, status, connected, ready });
    },
  };
}

async function respond(
  pages: Pages,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  send(await pageFor(pages, request), request, response);
}

function send(page: Page, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(page.status, {
    "content-type": page.type,
    "content-length": Buffer.byteLength(page.body),
    "cache-control": "no-store",
    ...(page.status === 405 ? { allow: "GET, HEAD" } : {}),
    ...(page.status === 401 ? { "www-authenticate": "Bearer" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : page.body);
}

async function pageFor(pages: Pages, request: IncomingMessage): Promise<Page> {
  const [path = ""] = (request.url ?? "").split("?");
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) {
    return json(404, { error: `not found: try ${Object.keys(pages).join(", ")}` });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return json(405, { error: "only GET and HEAD are served" });
  }
  try {
    return await page(request);
  } catch (error) {
    return json(500, { error: error instanceof Error ? error.message : String(error) });
  }
}

function json(status: number, body: object): Page {
  return { status, type: "application/json", body: `${JSON.stringify(body)}\n` };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(new Error(listenProblem(error, host, port), { cause: error }));
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      // A connection that cannot be accepted must not end the worker. The client notices it anyway.
      server.on("error", () => undefined);
      resolve();
    });
  });
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  const cure = "choose another with --http-port (0 takes any free one)";
  switch (error.code) {
    case "EADDRINUSE":
      return `HTTP port ${port} on ${host} is already in use: stop what listens there, or ${cure}`;
    case "EACCES":
      return `HTTP port ${port} on ${host} needs more rights than this process has: ${cure}`;
    default:
      return `HTTP port ${port} on ${host} cannot be opened (${error.message}): ${cure}`;
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, STOP_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
