/** What an attack of the table consists of, and what it has at its disposal while it runs. */
import type { Visibility } from "../../src/protocol/visibility.ts";
import type { AttackReport } from "./attack.ts";
import type { AttackName } from "./attacks.ts";
import type { Asker } from "./asker.ts";
import type { Build } from "./build.ts";
import type { Mode } from "./set-up.ts";
import type { Settings, Target } from "./target.ts";
import type { Bounds, Finding } from "./verdict.ts";

export interface Scene {
  readonly build: Build;
  readonly target: Target;
  readonly mode: Mode;
  /** Whether the run is to take a minute or two in all. */
  readonly short: boolean;
  /** The time of the attack. */
  readonly ms: number;
  /** In open mode, anybody; in secured mode, an operator. */
  readonly operator: Asker;
  /** Opens another connection of a principal, which is closed with the scene. */
  connect(name: string): Promise<Asker>;
}

export interface Row {
  /** As `--only` takes it. */
  readonly name: string;
  /** What the attacker does. */
  readonly does: string;
  readonly attack: AttackName;
  /** Of the worker, in addition to its defaults. */
  readonly settings?: Settings;
  /** What agents see of each other, in secured mode. Default: all. */
  readonly visibility?: Visibility;
  /** Where they differ from what all rows promise. */
  readonly bounds?: Partial<Bounds>;
  /** Why a row that does not hold in this mode is no failure. */
  readonly notPromised?: Readonly<Partial<Record<Mode, string>>>;
  /** Before the honest sessions begin. */
  readonly prepare?: (scene: Scene) => Promise<void>;
  /** While the attacker attacks. */
  readonly during?: (scene: Scene) => Promise<readonly Finding[]>;
  /** When the attacker has left, and the honest sessions have ended. */
  readonly after?: (scene: Scene, report: AttackReport) => Promise<readonly Finding[]>;
}
