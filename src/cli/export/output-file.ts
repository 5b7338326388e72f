/** Where an export goes: standard output, or a file that appears only when it is complete. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { write } from "../shared/data.ts";
import { UsageError } from "../shared/errors.ts";

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
  const unfinished = `${path}.${process.pid}.tmp`;
  let handle: FileHandle;
  try {
    handle = await open(unfinished, "wx");
  } catch (error) {
    throw cannotWrite(path, error);
  }
  let isOpen = true;
  return {
    write: async (text) => {
      await handle.writeFile(text);
    },
    finish: async () => {
      await handle.sync();
      await handle.close();
      isOpen = false;
      try {
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw cannotWrite(path, error);
      }
    },
    discard: async () => {
      if (!isOpen) return;
      await handle.close();
      await rm(unfinished, { force: true });
    },
  };
}

function cannotWrite(path: string, error: unknown): UsageError {
  const problem = error instanceof Error ? error.message : String(error);
  return new UsageError(`${path} cannot be written: ${problem}`);
}
