/** A nats-server that can be restarted on the same port and data. */
import type { ExitStatus, NatsServerProcess } from "./server-process.ts";

export interface RestartableServer extends Omit<NatsServerProcess, "kill"> {
  /**
   * Stops the process and starts another one. A call during a restart joins that restart.
   * @throws NatsServerError if the server does not start again: then none is running
   */
  restart(): Promise<void>;
}

/**
 * @param start starts a server with the same data on a port
 * @param stopped is called when the server has been stopped for good
 */
export async function startRestartable(
  start: (port: number) => Promise<NatsServerProcess>,
  port: number,
  stopped: () => Promise<void>,
): Promise<RestartableServer> {
  let current = await start(port);
  let restarting: Promise<void> | null = null;
  let ended: (status: ExitStatus) => void = () => undefined;
  const exited = new Promise<ExitStatus>((resolve) => {
    ended = resolve;
  });
  const follow = (): void => {
    void current.exited.then((status) => {
      if (restarting === null) ended(status);
    });
  };
  const replace = async (): Promise<void> => {
    await current.stop();
    try {
      // The port may have been 0 (any). Now clients know the port that was chosen.
      current = await start(current.port);
    } catch (error) {
      ended({ code: null, signal: null });
      throw error;
    }
    follow();
  };
  follow();
  return {
    url: current.url,
    port: current.port,
    get pid() {
      return current.pid;
    },
    exited,
    restart: () =>
      (restarting ??= replace().finally(() => {
        restarting = null;
      })),
    async stop() {
      // If the restart fails, no server is left to stop.
      await restarting?.catch(() => undefined);
      await current.stop();
      await stopped();
    },
  };
}
