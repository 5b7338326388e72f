/** The registered sessions: those that are shown, and which capabilities there are. */
import { kept } from "./kept-text.ts";

/** All sessions, as a program has read them page by page. */
export class Sessions {
  total = 0;
  /** Those with the most claims. */
  readonly busiest: SessionView[] = [];
  /** Each combination of capabilities that a session has, as JSON of the sorted list. */
  readonly capabilities = new Set<string>();

  add(page: readonly RegisteredSession[]): void {
    this.total += page.length;
    for (const { capabilities } of page) {
      const shown = capabilities.map((name) => kept(name)).sort();
      if (this.capabilities.size < MAX_COMBINATIONS) this.capabilities.add(JSON.stringify(shown));
    }
    this.busiest.push(...page.map(toSessionView));
    this.busiest.sort((a, b) => b.claims - a.claims || (a.id < b.id ? -1 : 1));
    if (this.busiest.length > MAX_SHOWN) this.busiest.length = MAX_SHOWN;
  }
}

export interface RegisteredSession {
  readonly session_id: string;
  readonly capabilities: readonly string[];
  readonly claims: number;
}

export interface SessionView {
  readonly id: string;
  readonly shownId: string;
  readonly claims: number;
  readonly capabilities: string;
}

const MAX_SHOWN = 1_000;
const MAX_COMBINATIONS = 1_000;

export class SessionTable {
  #sessions: Sessions | null = null;

  set(sessions: Sessions): void {
    this.#sessions = sessions;
  }

  view(
    wants: (sessionId: string) => boolean,
    rows: number,
  ): { readonly sessionTotal: number; readonly sessions: readonly SessionView[] } {
    const { busiest = [], total = 0 } = this.#sessions ?? {};
    const wanted = busiest.filter(({ id }) => wants(id));
    const sessionTotal = wanted.length === busiest.length ? total : wanted.length;
    return { sessionTotal, sessions: wanted.slice(0, rows) };
  }

  /** Whether no session has all that a task requires. Before the sessions are known, no task is stuck. */
  stuckness(): (requires: readonly string[]) => boolean {
    if (this.#sessions === null) return () => false;
    const known = new Map<string, boolean>();
    const sets = Array.from(
      this.#sessions.capabilities,
      (text) => new Set(JSON.parse(text) as string[]),
    );
    return (requires) => {
      if (requires.length === 0) return false;
      const key = requires.join("\n");
      let isStuck = known.get(key);
      if (isStuck === undefined) {
        isStuck = !sets.some((set) => requires.every((name) => set.has(name)));
        known.set(key, isStuck);
      }
      return isStuck;
    };
  }
}

function toSessionView({ session_id, claims, capabilities }: RegisteredSession): SessionView {
  return {
    id: session_id,
    shownId: kept(session_id),
    claims,
    capabilities: capabilities.map((name) => kept(name)).join(", "),
  };
}
