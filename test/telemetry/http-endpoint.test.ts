/** The HTTP endpoint, over real connections. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import {
  type HttpEndpoint,
  type HttpEndpointOptions,
  startHttpEndpoint,
  STOP_GRACE_MS,
} from "../../src/telemetry/http-endpoint.ts";
import { TempFolder } from "../support/temp-folder.ts";

describe("the HTTP endpoint", () => {
  it("serves the metrics with their content type", async (t) => {
    const { url } = await started(t);
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4");
    assert.equal(await response.text(), "up 1\n");
  });

  it("says that it is alive even when the worker is not ready", async (t) => {
    const { url } = await started(t, {
      health: () => ({ connected: false, ready: false, detail: {} }),
    });
    const response = await fetch(`${url}/healthz`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { status: "alive" });
  });

  it("says that the worker is ready, with details", async (t) => {
    const { url } = await started(t);
    const response = await fetch(`${url}/readyz?verbose`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      tasks: 397,
      status: "ready",
      connected: true,
      ready: true,
    });
  });

  for (const [connected, status] of [
    [false, "not connected to NATS"],
    [true, "not ready"],
  ] as const) {
    it(`answers 503 and "${status}" when connected is ${connected} and the worker not ready`, async (t) => {
      const { url } = await started(t, {
        health: () => ({ connected, ready: false, detail: { why: "index is loading" } }),
      });
      const response = await fetch(`${url}/readyz`);
      assert.equal(response.status, 503);
      assert.deepEqual(await response.json(), {
        why: "index is loading",
        status,
        connected,
        ready: false,
      });
    });
  }

  it("answers HEAD without a body", async (t) => {
    const { url } = await started(t);
    const response = await fetch(`${url}/metrics`, { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-length"), "5");
    assert.equal(await response.text(), "");
  });

  it("answers 404 to other paths and names the paths that it serves", async (t) => {
    const { url } = await started(t);
    for (const path of ["/", "/metrics/x", "/constructor", "/%ff"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 404, path);
      assert.match(await response.text(), /\/metrics, \/healthz, \/readyz/);
    }
  });

  it("answers 405 to other methods and says which are allowed", async (t) => {
    const { url } = await started(t);
    const response = await fetch(`${url}/metrics`, { method: "POST", body: "x" });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, HEAD");
  });

  it("answers 500 when the metrics cannot be rendered, and continues", async (t) => {
    const { url } = await started(t, {
      metrics: { contentType: "text/plain", render: () => Promise.reject(new Error("boom")) },
    });
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.status, 500);
    assert.match(await response.text(), /boom/);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });

  it("answers no request for the name of a stranger, on any path", async (t) => {
    const { url } = await started(t);
    for (const path of ["/metrics", "/readyz", "/healthz", "/"]) {
      for (const host of ["rebind.example", "rebind.example:9090", "127.0.0.1.example", "1.2.3"]) {
        const { status, body } = await get(url + path, { host });
        assert.equal(status, 403, `${path} ${host}`);
        assert.match(body, /add it to metrics\.allowed_hosts/);
      }
    }
  });

  it("answers requests for an address, a name without a dot, and a name that is set", async (t) => {
    const { url } = await started(t, { allowedHosts: ["worker.svc.cluster.local"] });
    for (const host of [
      ...["127.0.0.1:9090", "10.1.2.3", "[::1]:9090", "[fd00::1]", "localhost", "LOCALHOST:1"],
      ...["worker:9090", "my-worker_1", "a.localhost", "Worker.svc.cluster.local.:9090"],
    ]) {
      assert.equal((await get(`${url}/metrics`, { host })).status, 200, host);
    }
  });

  for (const place of ["token", "tokenFile"] as const) {
    it(`gives metrics only to those who have the token of ${place}`, async (t) => {
      const folder = await TempFolder.create();
      t.after(() => folder[Symbol.asyncDispose]());
      const file = join(folder.path, "token");
      await writeFile(file, "s3cret\n");
      const { url } = await started(t, { [place]: place === "token" ? "s3cret" : file });
      for (const authorization of [
        "",
        "s3cret",
        "Bearer s3cre",
        "Bearer s3cret2",
        "Basic s3cret",
      ]) {
        const { status, headers, body } = await get(`${url}/metrics`, { authorization });
        assert.equal(status, 401, authorization);
        assert.equal(headers["www-authenticate"], "Bearer");
        assert.doesNotMatch(body, /up 1|s3cret/);
      }
      const { status, body } = await get(`${url}/metrics`, { authorization: "Bearer s3cret" });
      assert.deepEqual([status, body], [200, "up 1\n"]);
      for (const path of ["/healthz", "/readyz"]) assert.equal((await get(url + path)).status, 200);
    });
  }

  it("does not start if the file of the token is missing or empty", async () => {
    await using folder = await TempFolder.create();
    const tokenFile = join(folder.path, "token");
    const start = () => startHttpEndpoint(options({ tokenFile }));
    await assert.rejects(
      start(),
      /metrics\.token_file is .*token, which cannot be read \(ENOENT\)/,
    );
    await writeFile(tokenFile, "\n");
    await assert.rejects(start(), /metrics\.token_file is .*token, which is empty/);
  });

  it("names a taken port and the option that changes it", async (t) => {
    const { url } = await started(t);
    const port = Number(new URL(url).port);
    await assert.rejects(
      startHttpEndpoint(options({ port })),
      new RegExp(`port ${port} on 127\\.0\\.0\\.1 is already in use.*--http-port`),
    );
  });

  it("closes its port on stop, which can be called twice", async (t) => {
    const first = await started(t);
    await Promise.all([first.stop(), first.stop()]);
    const port = Number(new URL(first.url).port);
    const second = await started(t, { port });
    assert.equal(second.url, first.url);
  });

  it("closes idle keep-alive connections at once on stop", async (t) => {
    const endpoint = await started(t);
    const socket = await connectedTo(endpoint);
    socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*keep-alive/i);
    const closed = once(socket, "close");
    const stopping = performance.now();
    await Promise.all([endpoint.stop(), closed]);
    assert.ok(performance.now() - stopping < STOP_GRACE_MS);
  });

  it("lets an answer under way finish on stop", async (t) => {
    const scrapes = new EventEmitter<{ asked: [answer: (text: string) => void] }>();
    const endpoint = await started(t, {
      metrics: {
        contentType: "text/plain",
        render: () => new Promise((answer) => scrapes.emit("asked", answer)),
      },
    });
    const asked = once(scrapes, "asked") as Promise<[answer: (text: string) => void]>;
    const response = fetch(`${endpoint.url}/metrics`);
    const [answer] = await asked;
    const stopped = endpoint.stop();
    answer("late\n");
    assert.equal(await (await response).text(), "late\n");
    await stopped;
  });

  it("closes a connection whose request never ends on stop", async (t) => {
    const endpoint = await started(t);
    const socket = await connectedTo(endpoint);
    socket.write("GET /metrics HTTP/1.1\r\n");
    const closed = once(socket, "close");
    socket.resume();
    await Promise.all([endpoint.stop(), closed]);
    assert.equal(socket.destroyed, true);
  });
});

function options(overrides: Partial<HttpEndpointOptions>): HttpEndpointOptions {
  return {
    host: "127.0.0.1",
    port: 0,
    metrics: {
      contentType: "text/plain; version=0.0.4",
      render: () => Promise.resolve("up 1\n"),
    },
    health: () => ({ connected: true, ready: true, detail: { tasks: 397 } }),
    ...overrides,
  };
}

async function started(
  t: TestContext,
  overrides: Partial<HttpEndpointOptions> = {},
): Promise<HttpEndpoint> {
  const endpoint = await startHttpEndpoint(options(overrides));
  t.after(() => endpoint.stop());
  return endpoint;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Unlike `fetch`, it can send any `Host`. */
async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const asked = request(url, { headers });
  asked.end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

async function connectedTo(endpoint: HttpEndpoint): Promise<Socket> {
  const socket = connect(Number(new URL(endpoint.url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}
