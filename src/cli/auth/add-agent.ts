/** `if-coordinator auth add-agent`: an agent, who works on tasks with sessions of its own. */
import type { Command } from "commander";
import { addExamples } from "../shared/help.ts";
import { defineAdd } from "./add-principal.ts";

export function define(command: Command): void {
  defineAdd(command, "agent", "its sessions are <name> and <name>.<anything>");
  addExamples(command, [
    "auth add-agent s1",
    "auth add-agent s1 --prefix s1. --limits claims=100,tasks=1000",
    "auth add-agent s1 --limits connections=20,payload=128KiB --nats tls://nats-1:4222",
  ]);
}
