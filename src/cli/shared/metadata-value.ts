/** The value of `--metadata`, of tasks and of sessions. */
import { UsageError } from "./errors.ts";
import { readValue } from "./read-value.ts";

/** `name=text` for texts. JSON objects can hold other values. */
export async function metadataOf(given: readonly string[]): Promise<Record<string, unknown>> {
  const parts = await Promise.all(
    given.map(async (text) => {
      const [, name, value] = /^([^={@-][^=]*)=(.*)$/s.exec(text) ?? [];
      if (name !== undefined) return { [name]: value };
      const object = await readValue("--metadata", text);
      if (typeof object === "object" && object !== null && !Array.isArray(object)) return object;
      throw new UsageError(`--metadata must be name=text or a JSON object, not ${text}`);
    }),
  );
  return Object.assign({}, ...parts) as Record<string, unknown>;
}
