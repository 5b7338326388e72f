/** Options of the command line that are settings. Their meanings and defaults are in `config`. */
import { type Command, Option } from "commander";
import { useJson } from "./output.ts";
import { type Config, type FlagValues, loadConfig, settings } from "../../config.ts";

/** Adds the settings with these flags, and `--config`. */
export function addSettingOptions(command: Command, flags: readonly string[]): Command {
  for (const flag of flags) {
    const setting = settings().find((candidate) => candidate.flag === flag);
    if (setting === undefined) throw new TypeError(`no setting has the flag --${flag}`);
    const { description, kind, default: fallback } = setting;
    const value = kind === "number" ? "n" : kind === "list" ? "url,..." : "value";
    const shown = Array.isArray(fallback) ? fallback.join() : String(fallback);
    command.addOption(new Option(`--${flag} <${value}>`, `${description} (default: ${shown})`));
  }
  return command.option("--config <path>", "YAML file with settings (default: none)");
}

/** From then on, the command writes in the format of the log. @throws ConfigError */
export function configOf(command: Command): Config {
  const { config: file, ...given } = command.opts<Record<string, string | undefined>>();
  const flags: FlagValues = Object.fromEntries(
    command.options
      .filter((option) => option.attributeName() in given)
      .map((option) => [option.name(), given[option.attributeName()]]),
  );
  const config = loadConfig({ flags, file });
  if (config.log.format === "json") useJson();
  return config;
}
