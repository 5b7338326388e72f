/** `if-coordinator auth add-operator`: an operator, who also manages the tasks and sessions of others. */
import type { Command } from "commander";
import { addExamples } from "../shared/help.ts";
import { defineAdd } from "./add-principal.ts";

export function define(command: Command): void {
  defineAdd(command, "operator", "for example the name of a person");
  addExamples(command, ["auth add-operator ann"]);
}
