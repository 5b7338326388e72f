/** The options that each command of a session needs, to be repeated in commands that an agent copies. */
import type { ConnectionFlags } from "../../config/client-settings.ts";
import { shellWord } from "../shared/shell-word.ts";

/** Everything but the password, which must not reach the context of an agent. */
const REPEATED: readonly (readonly [name: keyof ConnectionFlags, option: string])[] = [
  ["nats", "--nats"],
  ["context", "--context"],
  ["creds", "--creds"],
  ["nkey", "--nkey"],
  ["user", "--user"],
  ["tlsca", "--tlsca"],
  ["tlscert", "--tlscert"],
  ["tlskey", "--tlskey"],
  ["inboxPrefix", "--inbox-prefix"],
];

/** Such as `-s agent-1 --nats nats://host:4222`. Options that were not given, but are variables, still are. */
export function commonOptions(session: string, flags: ConnectionFlags): string {
  const words = REPEATED.flatMap(([name, option]) => {
    const value = flags[name];
    if (value === undefined) return [];
    return [option, shellWord(name === "nats" ? withoutLogin(value) : value)];
  });
  return ["-s", shellWord(session), ...words].join(" ");
}

/** A text with URLs such as `nats://user:password@host`, without what is secret. */
export function withoutLogin(value: string): string {
  return value.replace(/(^|[\s,]|:\/\/)[^\s,/@]*@/g, "$1");
}
