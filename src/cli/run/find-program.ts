/** Whether there is a program of a name: asked before a task is claimed for it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * What is wrong with the program; `null` if it can be started.
 *
 * @param path the folders in which it is looked for if its name has no slash, as in the variable PATH
 */
export function programProblem(program: string, path: string): string | null {
  if (program.includes("/")) {
    const code = accessProblem(program);
    return code === null ? null : `cannot start ${program}: ${PROBLEMS[code] ?? code}`;
  }
  const codes = path.split(delimiter).map((folder) => accessProblem(join(folder, program)));
  if (codes.includes(null)) return null;
  const reason = codes.find((code) => code !== "ENOENT") ?? "ENOENT";
  const where = reason === "ENOENT" ? "there is no such program on the PATH" : PROBLEMS[reason];
  return `cannot start ${program}: ${where ?? reason}`;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not run it: try chmod +x",
  EISDIR: "it is a folder",
};

/** The code of the reason; `null`: this user may run the file. */
function accessProblem(file: string): string | null {
  try {
    if (statSync(file).isDirectory()) return "EISDIR";
    accessSync(file, constants.X_OK);
    return null;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
