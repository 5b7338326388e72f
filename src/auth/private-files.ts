/** The files of the set-up: private, and an error says which of them cannot be used. */
import * as files from "../private-files.ts";
import { AuthError } from "./auth-error.ts";

export const makePrivateFolder = naming(files.makePrivateFolder);

/** Writes the file, or replaces it. */
export const writePrivateFile = naming((path, text: string) => {
  files.writePrivateFile(path, text);
});

/** Writes the file. Resolves with false if there is one already. */
export const createPrivateFile = naming((path, text: string) =>
  files.createPrivateFile(path, text),
);

/** `null`: there is no such file. */
export const readIfThere = naming(files.readIfThere);

export { hideFromGit, isMissing } from "../private-files.ts";

/** A file where a folder should be, for a folder or for one that contains it. */
const NO_FOLDER: ReadonlySet<string> = new Set(["ENOTDIR", "EEXIST"]);

/** The error of an action on the path. */
export function unusable(path: string, cause: unknown): AuthError {
  const code = files.codeOf(cause);
  const cure = NO_FOLDER.has(code) ? "a part of the path is no folder" : "check its permissions";
  const message = `${path} cannot be used (${code}): ${cure}, or choose another folder`;
  return new AuthError(message, { cause });
}

function naming<Arguments extends readonly unknown[], T>(
  action: (path: string, ...more: Arguments) => T,
): (path: string, ...more: Arguments) => Promise<T> {
  return (path, ...more) =>
    new Promise((resolve, reject) => {
      try {
        resolve(action(path, ...more));
      } catch (error) {
        reject(unusable(path, error));
      }
    });
}
