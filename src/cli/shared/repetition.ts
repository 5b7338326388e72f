/** Refuses an option that is given twice, because only one of the two values would count. */
import type { Command, Option } from "commander";

export function refuseRepetition(command: Command): void {
  for (const option of command.options.filter(takesOneValue)) {
    let count = 0;
    command.on(`option:${option.name()}`, () => {
      count++;
      if (count > 1) command.error(`error: option '${option.flags}' is given twice`);
    });
  }
}

/** A parser with a second parameter adds the value to the earlier ones. */
function takesOneValue({ required, optional, variadic, parseArg }: Option): boolean {
  return (required || optional) && !variadic && (parseArg?.length ?? 0) < 2;
}
