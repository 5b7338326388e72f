/** Environment variables that are no settings of a worker. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names the YAML file. */
export const FILE_VARIABLE = "IF_COORDINATOR_CONFIG";
/** The variable that names the session of commands. */
export const SESSION_VARIABLE = "IF_COORDINATOR_SESSION";
/** `if-coordinator run` tells its command by these variables which task it works on. */
export const TASK_VARIABLE = "TASK_ID";
export const ATTEMPT_VARIABLE = "TASK_ATTEMPT";
/** The variable with the token of agents that use MCP over HTTP. */
export const MCP_TOKEN_VARIABLE = "IF_COORDINATOR_MCP_TOKEN";
export const OTHER_VARIABLES: readonly string[] = [
  ...[FILE_VARIABLE, SESSION_VARIABLE, MCP_TOKEN_VARIABLE],
];
