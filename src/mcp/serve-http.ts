/**
 * Serves agents over HTTP, on an address of this machine. Every request needs the token. A web page that the
 * user has open must not reach the server either, so the host and the origin of each request are checked.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from "@modelcontextprotocol/server";
import type { AgentPool } from "./agent-pool.ts";
import { createMcpServer } from "./server.ts";

/** Below this path, and nowhere else. */
export const HTTP_PATH = "/mcp";
/** Names the session of the agent. Agents that name none share one. */
export const SESSION_HEADER = "if-coordinator-session";

export interface HttpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly token: string;
  readonly agents: AgentPool;
  readonly warn: (message: string) => void;
}

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves when it listens. Rejects if it cannot. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { host, port, warn } = options;
  const respond = responder(options);
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, respond).catch((error: unknown) => {
      // The client has gone, or its request cannot be read.
      warn(`a request was not answered: ${String(error)}`);
      outgoing.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${actual}${HTTP_PATH}`, close: () => close(server) };
}

type Respond = (request: Request) => Promise<Response>;

function responder({ token, agents, warn }: HttpOptions): Respond {
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const session = requestInfo?.headers.get(SESSION_HEADER) ?? undefined;
      return createMcpServer(agents.agentOf(session));
    },
    {
      onerror: ({ message }) => {
        warn(message);
      },
    },
  );
  const expected = digest(`Bearer ${token}`);
  return async (request) => {
    const refusal =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins());
    if (refusal !== undefined) return refusal;
    const given = digest(request.headers.get("authorization") ?? "");
    if (!timingSafeEqual(given, expected)) {
      const headers = { "www-authenticate": "Bearer" };
      return Response.json({ error: "the token is wrong or missing" }, { status: 401, headers });
    }
    if (new URL(request.url).pathname !== HTTP_PATH) return new Response(null, { status: 404 });
    return await handler.fetch(request);
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  respond: Respond,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    gone.abort(new Error("the client no longer waits"));
  });
  const response = await respond(toRequest(incoming, gone.signal));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else await pipeline(Readable.fromWeb(response.body as never), outgoing);
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", url = "/", headers } = incoming;
  const given = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value ?? []].flat()) given.append(name, one);
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = { body: Readable.toWeb(incoming) as ReadableStream, duplex: "half" } as const;
  // The host of the URL is not used: the header is checked.
  return new Request(new URL(url, "http://localhost"), {
    method,
    headers: given,
    signal,
    ...(hasBody ? body : {}),
  });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeAllConnections();
  await closed;
}
