/** A nats-server process that can be replaced by another one on the same port and data. */
import type { ExitStatus, NatsServerProcess } from "./server-process.ts";

export interface RestartableServer extends Omit<NatsServerProcess, "kill"> {
  /**
   * Ends the process in good order and starts another. Meanwhile, another call is the same restart.
   * @throws NatsServerError if it does not start again: then none runs any longer
   */
  restart(): Promise<void>;
}

/**
 * @param start starts a server with the same data on a port
 * @param stopped is called when it has been stopped for good
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
      // Port 0 was any, now it is the one that clients know.
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
      // One that does not start again need not be stopped.
      await restarting?.catch(() => undefined);
      await current.stop();
      await stopped();
    },
  };
}
