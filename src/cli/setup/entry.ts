/** What a set-up adds to a file. */

export interface Entry {
  /** Where it is, such as `mcpServers`, `if-coordinator`. */
  readonly path: readonly string[];
  readonly value: Readonly<Record<string, unknown>>;
}

/** The file cannot be changed. The message says why. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
}
