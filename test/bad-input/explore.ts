import { TestCoordinator } from "../support/test-coordinator.ts";
import { RawConnection } from "./raw-connection.ts";
const c = await TestCoordinator.start();
try {
  const raw = await RawConnection.open(c.server.port);
  raw.subscribe("reply", 1);
  const ask = async (subject: string, payload = "{}") => {
    raw.publish(subject, "reply", payload);
    await raw.flush();
    return (await raw.message("reply")).text;
  };
  for (const id of ["x;rm", "*", ">", "$", "a".repeat(257), "a..b", ".a", "a.", ""]) {
    console.log(id.slice(0, 20), "=>", await ask(`tasks.get.${id}`));
  }
  console.log("space", await ask("tasks.get.a"));
  raw.publishWithHeaders(
    "tasks.get.a",
    "reply",
    "NATS/9.9 xx\r\nb\0ad key: 1\r\n: 2\r\n\x01:\x02\r\n\r\n",
    "{}",
  );
  console.log("hdr", (await raw.message("reply")).text);
  await c.ok("tasks.create.good");
  raw.subscribe("ack", 2);
  raw.publishWithHeaders(
    "$KV.tasks.badhdr",
    "ack",
    "NATS/1.0\r\nb ad\0key: 1\r\n\r\n",
    '{"title":"x"}',
  );
  console.log("kv", (await raw.message("ack")).text);
  console.log(await c.request("tasks.get.badhdr"));
  console.log(await c.request("tasks.stats").catch(String));
  console.log(await c.request("tasks.changes").catch(String));
  console.log(
    c.facts.filter((f) => f.kind === "background_error").map((f) => String((f as any).cause)),
  );
  const long = "k".repeat(300);
  raw.publish(`$KV.tasks.${long}`, "ack", '{"title":"x"}');
  await raw.message("ack");
  await new Promise((r) => setTimeout(r, 200));
  const next = await c.request("tasks.next", { session_id: "s", prefix: "kk" });
  console.log("next long", JSON.stringify(next).slice(0, 200));
  // big
  const big = JSON.stringify({ title: "x".repeat(1_048_000) });
  c.connection.publish("$KV.tasks.big", big);
  await c.connection.flush();
  console.log(
    "claim big",
    JSON.stringify(
      await c.request("tasks.claim.big", { session_id: "s" }, 5000).catch(String),
    ).slice(0, 300),
  );
  console.log(
    "get big",
    JSON.stringify(await c.request("tasks.get.big", {}, 5000).catch(String)).slice(0, 300),
  );
  console.log("get ok", (await c.request("tasks.get.good")).ok);
  await raw[Symbol.asyncDispose]();
} finally {
  await c[Symbol.asyncDispose]();
}
