/** The first part of a session id. The sessions of an agent begin with its name. */
export function nameIn(sessionId: string): string {
  const end = sessionId.indexOf(".");
  return end < 0 ? sessionId : sessionId.slice(0, end);
}
