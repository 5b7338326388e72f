/**
 * The messages of a coordinator name operations and fields, because programs read them, too. Who types commands reads
 * the names of commands and options instead.
 */

/** Fields whose option is not called like the field. */
const OPTIONS: Readonly<Record<string, string>> = {
  tags: "--tag",
  capabilities: "--capability",
  session_id: "--session",
  ttl_seconds: "--ttl",
  delay_seconds: "--delay",
  wait_seconds: "--wait",
  cause: "--reason",
};

/** Fields whose option has their name, with `-` in place of `_`. */
const SAME_NAME = [
  ...["title", "description", "priority", "depends_on", "requires", "metadata", "payload"],
  ...["not_before", "max_failures", "max_lost_leases", "attempt", "instance", "result", "error"],
  ...["progress", "reason", "resume_at", "max", "prefix", "fencing_token"],
];

/** @param field that the message is about, if it says so */
export function inCommandWords(message: string, field: unknown): string {
  return withCommands(withOption(message, field)).replace(
    /name them in the request$/,
    "name them with --capability",
  );
}

/** Such as `priority: must be ...`. */
function withOption(message: string, field: unknown): string {
  if (typeof field !== "string" || !message.startsWith(`${field}: `)) return message;
  const sameName = SAME_NAME.includes(field) ? `--${field.replaceAll("_", "-")}` : field;
  return `${OPTIONS[field] ?? sameName}${message.slice(field.length)}`;
}

/** Such as `create it with tasks.create.P0.5.1`: what to do is at the end. */
function withCommands(message: string): string {
  return message.replace(
    /(?<=(?: with|: only) )(task|session)s\.(create|update|next|requeue|register)(?:\.(\S+))?(?=$| brings it back$)/,
    (_, group: string, verb: string, id: string | undefined) =>
      `"if-coordinator ${group} ${verb}${id === undefined ? "" : ` ${id}`}"`,
  );
}
