/** The set-up cannot be used as it is. The message says what to do. */
export class AuthError extends Error {
  override readonly name = "AuthError";
}
