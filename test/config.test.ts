import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { ConfigError, type ConfigSources, loadConfig, settings } from "../src/config.ts";

function yamlFile(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "settings.yaml");
  writeFileSync(file, content);
  return file;
}

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig({ env: {}, ...sources });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  assert.fail("expected a ConfigError");
}

function at(path: string, value: unknown): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key] ?? null, value);
}

describe("configuration", () => {
  it("has defaults for everything", () => {
    const config = loadConfig({ env: {} });
    assert.deepEqual(config.nats.servers, ["nats://localhost:4222"]);
    assert.equal(config.nats.maxReconnectAttempts, -1);
    assert.equal(config.taskClaimTtlSeconds, 300);
    assert.equal(config.metrics.port, 9090);
    assert.equal(config.limits.inFlight, 1000);
    assert.equal(config.dev.storeDir, ".if-coordinator");
    assert.equal(config.dev.natsServer, undefined);
  });

  it("prefers flags to the environment, the environment to the file, and the file to the defaults", (t) => {
    const file = yamlFile(
      t,
      "coordinator: {workers: 2, history: 2, replicas: 2, metrics: {port: 2, host: '::1'}}",
    );
    const config = loadConfig({
      file,
      env: { IF_COORDINATOR_WORKERS: "3", IF_COORDINATOR_HISTORY: "3" },
      flags: { workers: "4", "http-port": undefined },
    });
    assert.equal(config.workers, 4);
    assert.equal(config.history, 3);
    assert.equal(config.replicas, 2);
    assert.deepEqual(config.metrics, { enabled: true, port: 2, host: "::1" });
    assert.equal(config.maxFailures, 3);
    assert.equal(config.maxLostLeases, 10);
  });

  it("lets a program override settings that have no flag", () => {
    const config = loadConfig({ env: {}, overrides: { "retry.base_ms": 50, history: 64 } });
    assert.equal(config.retry.baseMs, 50);
    assert.equal(config.history, 64);
  });

  it("reads every setting from its environment variable", () => {
    const config = loadConfig({
      env: {
        IF_COORDINATOR_NATS_SERVERS: "nats://one:4222, tls://two",
        IF_COORDINATOR_METRICS_ENABLED: "false",
        IF_COORDINATOR_RETRY_MAX_MS: "5000",
        IF_COORDINATOR_NATS_SERVER: "/opt/nats-server",
        IF_COORDINATOR_CACHE_DIR: "/cache",
        IF_COORDINATOR_NATS_TOKEN: "",
      },
    });
    assert.deepEqual(config.nats.servers, ["nats://one:4222", "tls://two"]);
    assert.equal(config.metrics.enabled, false);
    assert.equal(config.retry.maxMs, 5000);
    assert.equal(config.dev.natsServer, "/opt/nats-server");
    assert.equal(config.dev.cacheDir, "/cache");
    assert.equal(config.nats.token, undefined, "empty counts as not set");
  });

  it("takes servers as a list or as text with commas, and checks them", (t) => {
    const file = yamlFile(t, "coordinator: {nats: {servers: 'one, tls://two'}}");
    assert.deepEqual(loadConfig({ env: {}, file }).nats.servers, ["one", "tls://two"]);
    const list = yamlFile(t, "coordinator: {nats: {servers: [one, 'wss://two']}}");
    assert.match(problemsOf({ file: list }).join(), /nats\.servers has wss:\/\/two, but WebSocket/);
    const env = { IF_COORDINATOR_NATS_SERVERS: "one,,two", IF_COORDINATOR_NATS_JS_DOMAIN: "a.b" };
    const [servers, domain] = problemsOf({ env });
    assert.match(servers ?? "", /^IF_COORDINATOR_NATS_SERVERS has an empty entry: remove it/);
    assert.match(domain ?? "", /^IF_COORDINATOR_NATS_JS_DOMAIN must be the name of a JetStream/);
    assert.match(
      problemsOf({ env: { IF_COORDINATOR_NATS_INBOX_PREFIX: "_INBOX.*" } }).join(),
      /^IF_COORDINATOR_NATS_INBOX_PREFIX must be the beginning of a subject/,
    );
  });

  it("takes the file that IF_COORDINATOR_CONFIG names, and null in it as not set", (t) => {
    const file = yamlFile(t, "coordinator: {backend: nats, workers: 5, nats: {token: null}}");
    const config = loadConfig({ env: { IF_COORDINATOR_CONFIG: file } });
    assert.equal(config.workers, 5);
    assert.equal(config.nats.token, undefined);
  });

  it("puts the cache into the cache folder of the user, and takes the script of npm from npm only", () => {
    const env = { XDG_CACHE_HOME: "/c", LOCALAPPDATA: "/c", npm_execpath: "/npm/bin/npx-cli.js" };
    const { dev } = loadConfig({ env });
    assert.equal(dev.cacheDir, join("/c", "if-coordinator"));
    assert.equal(dev.npmScript, "/npm/bin/npm-cli.js");
    assert.equal(loadConfig({ env: { npm_execpath: "/pnpm.cjs" } }).dev.npmScript, undefined);
  });

  it("is frozen", () => {
    const config = loadConfig({ env: {} });
    assert.throws(() => Object.assign(config.metrics, { port: 1 }), TypeError);
    assert.throws(() => Object.assign(config.nats.servers, ["x"]), TypeError);
    assert.notEqual(loadConfig({ env: {} }).nats.servers[0], "x");
  });

  it("names every bad setting, where it comes from and what it must be", (t) => {
    const file = yamlFile(t, "coordinator:\n  history: 65\n  log: {level: loud}\n");
    assert.deepEqual(
      problemsOf({
        file,
        env: { IF_COORDINATOR_METRICS_PORT: "ninety", IF_COORDINATOR_NATS_SERVERS: "http://x" },
        flags: { workers: "0" },
      }).toSorted(),
      [
        "--workers must be a whole number from 1 to 64, not 0",
        "IF_COORDINATOR_NATS_SERVERS has http://x, but a NATS server does not take requests by HTTP: use nats:// or tls:// and the server's port for clients, 4222 by default",
        'IF_COORDINATOR_METRICS_PORT must be a whole number from 0 to 65535, not "ninety"',
        `${file}: coordinator.history must be a whole number from 1 to 64, not 65`,
        `${file}: coordinator.log.level must be debug or info or warn or error or silent, not "loud"`,
      ].toSorted(),
    );
  });

  it("refuses unknown settings by name and guesses what was meant", (t) => {
    const file = yamlFile(
      t,
      "coordinator: {wrokers: 2, etcd: {endpoints: []}, metrics: {prot: 1}}\nother: 1",
    );
    assert.deepEqual(problemsOf({ file, env: { IF_COORDINATOR_WORKER: "2" } }), [
      `${file}: other is unknown; settings go below "coordinator"`,
      "IF_COORDINATOR_WORKER is not a setting: did you mean IF_COORDINATOR_WORKERS?",
      `${file}: coordinator.metrics.prot is not a setting: did you mean metrics.port?`,
      `${file}: coordinator.wrokers is not a setting: did you mean workers?`,
      `${file}: coordinator.etcd is not a setting: remove it`,
    ]);
  });

  it("ignores the variables of Kubernetes Services, even those named like a setting", () => {
    const ofKubernetes = {
      IF_COORDINATOR_SERVICE_HOST: "10.0.0.11",
      IF_COORDINATOR_SERVICE_PORT: "9090",
      IF_COORDINATOR_SERVICE_PORT_HTTP_METRICS: "9090",
      IF_COORDINATOR_PORT: "tcp://10.0.0.11:9090",
      IF_COORDINATOR_PORT_9090_TCP: "tcp://10.0.0.11:9090",
      IF_COORDINATOR_PORT_9090_TCP_PROTO: "tcp",
      IF_COORDINATOR_PORT_9090_TCP_PORT: "9090",
      IF_COORDINATOR_PORT_9090_TCP_ADDR: "10.0.0.11",
      IF_COORDINATOR_METRICS_SERVICE_HOST: "10.0.0.12",
      IF_COORDINATOR_METRICS_PORT: "tcp://10.0.0.12:9090",
      IF_COORDINATOR_NATS_PORT_4222_TCP: "tcp://10.0.0.13:4222",
    };
    const config = loadConfig({ env: { ...ofKubernetes, IF_COORDINATOR_WORKERS: "2" } });
    assert.equal(config.workers, 2);
    assert.equal(config.metrics.port, 9090);
    assert.deepEqual(config.ignoredVariables, Object.keys(ofKubernetes));
    const env = {
      IF_COORDINATOR_TYPO: "1",
      IF_COORDINATOR_PORT: "9090",
      IF_COORDINATOR_DEV_PORT: "x",
    };
    assert.deepEqual(
      problemsOf({ env }).map((problem) => problem.split(" ", 1).join()),
      Object.keys(env),
    );
  });

  it("says that only NATS is supported as a backend", (t) => {
    const file = yamlFile(t, "coordinator: {backend: etcd}");
    assert.deepEqual(problemsOf({ file }), [
      `${file}: coordinator.backend must be nats: it is the only backend that is supported, not "etcd"`,
    ]);
  });

  it("checks settings that depend on each other", () => {
    const env = {
      IF_COORDINATOR_RETRY_BASE_MS: "100",
      IF_COORDINATOR_RETRY_MAX_MS: "50",
      IF_COORDINATOR_NATS_PASSWORD: "hush",
      IF_COORDINATOR_NATS_SYSTEM_PASSWORD: "hush",
      IF_COORDINATOR_NATS_CERT_FILE: "cert.pem",
      IF_COORDINATOR_AUTH_VISIBILITY: "own",
    };
    assert.deepEqual(problemsOf({ env }), [
      "IF_COORDINATOR_AUTH_VISIBILITY needs auth.mode accounts: in open mode, everyone sees all",
      "IF_COORDINATOR_RETRY_MAX_MS must be at least retry.base_ms (100)",
      "IF_COORDINATOR_NATS_PASSWORD needs nats.username as well",
      "IF_COORDINATOR_NATS_SYSTEM_PASSWORD needs nats.system_username as well",
      "IF_COORDINATOR_NATS_CERT_FILE needs nats.key_file as well",
    ]);
  });

  it("does not show secrets", (t) => {
    const file = yamlFile(t, "coordinator: {nats: {password: 12345}}");
    assert.deepEqual(problemsOf({ file }), [`${file}: coordinator.nats.password must be a text`]);
  });

  it("refuses the URL of a server in place of the path of its binary", () => {
    assert.deepEqual(problemsOf({ env: { IF_COORDINATOR_NATS_SERVER: "nats://x:4222" } }), [
      "IF_COORDINATOR_NATS_SERVER must be the path of a nats-server binary; URLs go to IF_COORDINATOR_NATS_SERVERS",
    ]);
  });

  it("says which file is missing or is not YAML", (t) => {
    assert.deepEqual(problemsOf({ file: "/nowhere.yaml" }), [
      "cannot read the configuration file /nowhere.yaml (ENOENT): check the path after --config",
    ]);
    const file = yamlFile(t, "coordinator: {workers: [1}");
    assert.match(problemsOf({ file }).join(), /settings\.yaml is not valid YAML: .* at line 1/);
    const empty = yamlFile(t, "workers: 2");
    assert.deepEqual(problemsOf({ file: empty }), [
      `${empty}: must have a key "coordinator" with the settings below it`,
    ]);
  });

  it("lists its settings, each with a unique variable and a meaning", () => {
    const all = settings();
    assert.equal(new Set(all.map(({ env }) => env)).size, all.length);
    for (const { name, description } of all) assert.ok(description.length > 10, name);
    const limit = all.find(({ name }) => name === "limits.in_flight");
    assert.equal(limit?.env, "IF_COORDINATOR_LIMITS_IN_FLIGHT");
    assert.equal(limit.default, 1000);
  });

  it("is what config/coordinator.yaml says, with every setting in it", () => {
    const file = fileURLToPath(new URL("../../config/coordinator.yaml", import.meta.url));
    const sample: unknown = parse(readFileSync(file, "utf8"));
    for (const setting of settings()) {
      assert.deepEqual(at(`coordinator.${setting.name}`, sample), setting.default, setting.name);
    }
    assert.deepEqual(loadConfig({ env: {}, file }), loadConfig({ env: {} }));
  });
});
