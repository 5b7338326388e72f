/** The files of one task: its record for the command, and the place for the result. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Other users of this machine may not read the task. */
const OWNER_ONLY = 0o600;

export class TaskFiles implements AsyncDisposable {
  readonly folder: string;
  /** Has the record of the task in JSON. */
  readonly task: string;
  /** Does not exist until the command writes it. */
  readonly result: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.task = join(folder, "task.json");
    this.result = join(folder, "result");
  }

  static async create(taskText: string): Promise<TaskFiles> {
    const files = new TaskFiles(await mkdtemp(join(tmpdir(), "if-coordinator-task-")));
    try {
      await writeFile(files.task, taskText, { mode: OWNER_ONLY });
      return files;
    } catch (error) {
      await files[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Never rejects: a file that cannot be removed changes nothing for the task. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
