/** Options of the command line that are settings. Their meanings and defaults are in `config`. */
import { type Command, Option } from "commander";
import { useJson } from "./output.ts";
import { type Config, type FlagValues, loadConfig, settings } from "../../config.ts";

/** What the help calls the values of texts. */
const VALUES: Readonly<Record<string, string>> = {
  "store-dir": "path",
  "log-level": "level",
  "log-format": "format",
};

/** Adds the settings with these flags, and `--config`. */
export function addSettingOptions(command: Command, flags: readonly string[]): Command {
  for (const flag of flags) {
    const setting = settings().find((candidate) => candidate.flag === flag);
    if (setting === undefined) throw new TypeError(`no setting has the flag --${flag}`);
    const { description, kind, default: fallback } = setting;
    const value = VALUES[flag] ?? (kind === "number" ? "n" : kind === "list" ? "url,..." : "value");
    const shown = Array.isArray(fallback) ? fallback.join() : String(fallback);
    const name = kind === "boolean" ? `--${flag}` : `--${flag} <${value}>`;
    command.addOption(new Option(name, `${lowerFirst(description)} (default: ${shown})`));
  }
  return command.option("--config <path>", "YAML file with settings (default: none)");
}

interface GivenOptions {
  readonly config?: string;
  readonly [option: string]: string | boolean | undefined;
}

/** From then on, the command writes in the format of the log. @throws ConfigError */
export function configOf(command: Command): Config {
  const { config: file, ...given } = command.opts<GivenOptions>();
  const flags: FlagValues = Object.fromEntries(
    command.options
      .filter((option) => option.attributeName() in given)
      .map((option) => [option.name(), given[option.attributeName()]]),
  );
  const config = loadConfig({ flags, file });
  if (config.log.format === "json") useJson();
  return config;
}

/** As the other options begin. An abbreviation such as NATS stays. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;
}
