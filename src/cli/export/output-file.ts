/** Where an export goes: standard output, or a file that appears only when it is complete. */
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { write } from "../shared/data.ts";
import { ExitError, UsageError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";

export interface Output {
  write(text: string): Promise<void>;
  /** Makes the file appear under its name. */
  finish(): Promise<void>;
  /** Removes what is not finished. */
  discard(): Promise<void>;
}

/** @param path of the file; `undefined` for standard output */
export async function openOutput(path: string | undefined): Promise<Output> {
  if (path === undefined) {
    return { write, finish: () => Promise.resolve(), discard: () => Promise.resolve() };
  }
  const found = await stat(path).catch(() => null);
  // A pipe or a device, such as /dev/stdout, must stay what it is.
  if (found !== null && !found.isFile()) return openInPlace(path);
  // A link stays a link.
  return openFile(path, found === null ? path : await realpath(path));
}

async function openFile(path: string, target: string): Promise<Output> {
  const unfinished = `${target}.${process.pid}.tmp`;
  const handle = await opened(path, unfinished, "wx");
  let isOpen = true;
  return {
    write: (text) => writeTo(handle, path, text),
    finish: async () => {
      await handle.sync();
      await handle.close();
      isOpen = false;
      try {
        await rename(unfinished, target);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw new UsageError(problemOf(path, error));
      }
    },
    discard: async () => {
      if (!isOpen) return;
      await handle.close();
      await rm(unfinished, { force: true });
    },
  };
}

async function openInPlace(path: string): Promise<Output> {
  const handle = await opened(path, path, "w");
  return {
    write: (text) => writeTo(handle, path, text),
    finish: () => Promise.resolve(),
    discard: () => handle.close(),
  };
}

async function opened(path: string, file: string, flags: string): Promise<FileHandle> {
  try {
    return await open(file, flags);
  } catch (error) {
    throw new UsageError(problemOf(path, error));
  }
}

/** @throws ExitError, for example because the disk is full */
async function writeTo(handle: FileHandle, path: string, text: string): Promise<void> {
  try {
    await handle.writeFile(text);
  } catch (error) {
    throw new ExitError(EXIT.failed, problemOf(path, error));
  }
}

function problemOf(path: string, error: unknown): string {
  const problem = error instanceof Error ? error.message : String(error);
  return `${path} cannot be written: ${problem}`;
}
