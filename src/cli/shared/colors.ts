/** Colours of standard output. By itself, picocolors also colours the output of every CI. */
import pc from "picocolors";
import { wantsColors } from "../../config/terminal.ts";

export const colors = pc.createColors(wantsColors(process.stdout));
