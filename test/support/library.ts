/**
 * The client library for a test: an event bus and a coordinator on a server. Both are closed at the end of
 * the scope.
 *
 *     await using library = await Library.connect(testCoordinator);
 *     await library.coordinator.claimTask("a", "session-1");
 */
import { Coordinator } from "../../src/client/coordinator.ts";
import type { CoordinatorOptions } from "../../src/client/coordinator-options.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import type { EventBusConfig } from "../../src/client/event-bus-options.ts";
import { NotedLog } from "./stand-in.ts";
import type { TestCoordinator } from "./test-coordinator.ts";

/** The server, or a proxy in front of it. */
type Place = { readonly url: string } | Pick<TestCoordinator, "server">;

export interface LibraryOptions extends Omit<CoordinatorOptions, "logger"> {
  readonly config?: EventBusConfig;
  readonly maxInFlight?: number;
}

export class Library implements AsyncDisposable {
  readonly bus: EventBus;
  readonly coordinator: Coordinator;
  readonly log = new NotedLog();

  private constructor(url: string, { config = {}, maxInFlight, ...options }: LibraryOptions) {
    const reconnectTimeWait = 0.02;
    this.bus = new EventBus({
      backend: "nats",
      config: { servers: url, reconnectTimeWait, ...config },
      logger: this.log,
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
    });
    this.coordinator = new Coordinator(this.bus, options);
  }

  static async connect(place: Place, options: LibraryOptions = {}): Promise<Library> {
    const { url } = "url" in place ? place : place.server;
    const library = new Library(url, options);
    if (!(await library.bus.connect())) throw new Error(library.complaints.join("\n"));
    return library;
  }

  /** The warnings and errors in the log. */
  get complaints(): string[] {
    return [...this.log.of("warn"), ...this.log.of("error")];
  }

  /** Ends the work under way at once and returns the claims. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator.stop({ deadlineMs: 0 });
    await this.bus.disconnect();
  }
}
