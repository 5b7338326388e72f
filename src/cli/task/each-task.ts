/**
 * The same request for each of several tasks. All are tried, and the highest exit code counts. If there is no
 * coordinator, the remaining tasks are not tried, because each would wait for nothing.
 */
import { type OutputOptions, show, write } from "../shared/data.ts";
import { errorDocument } from "../shared/error-report.ts";
import { EXIT, type ExitCode } from "../shared/exit-codes.ts";
import { printError } from "../shared/output.ts";
import { reportError } from "../shared/report-error.ts";
import { jsonText } from "../shared/json-text.ts";

export interface EachTask<T extends object> {
  readonly ask: (id: string) => Promise<T>;
  readonly format: (reply: T, id: string) => string;
  /** Default: done. */
  readonly exitCode?: (reply: T) => ExitCode;
}

/** @throws the refusal, if there is only one task */
export async function showEach<T extends object>(
  ids: readonly string[],
  options: OutputOptions,
  { ask, format, exitCode = () => EXIT.done }: EachTask<T>,
): Promise<void> {
  const [only = "", ...others] = ids;
  if (others.length === 0) {
    const reply = await ask(only);
    await show(options, reply, () => format(reply, only));
    process.exitCode = exitCode(reply);
    return;
  }
  const isJson = options.json === true;
  const documents: object[] = [];
  const codes: ExitCode[] = [];
  for (const id of distinct(ids)) {
    try {
      const reply = await ask(id);
      codes.push(exitCode(reply));
      documents.push({ task_id: id, ...reply });
      if (!isJson) await write(`${format(reply, id)}\n`);
    } catch (error) {
      const code = reportError(error, { isJson });
      codes.push(code);
      documents.push({ task_id: id, ...errorDocument(error) });
      if (code === EXIT.noCoordinator) break;
    }
  }
  if (isJson) await write(`${jsonText(documents, 2)}\n`);
  const left = distinct(ids).slice(codes.length);
  if (left.length > 0) printError(`if-coordinator: not tried: ${left.join(", ")}`);
  process.exitCode = Math.max(...codes);
}

function distinct(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}
