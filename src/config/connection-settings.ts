/** Where NATS is and who connects, as an event bus takes it. */
export interface ConnectionSettings {
  /** One or several, separated by commas. */
  readonly servers?: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  readonly credsFile?: string;
  readonly nkeyFile?: string;
  readonly caCert?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly inboxPrefix?: string;
  readonly jsDomain?: string;
}
