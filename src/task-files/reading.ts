/** What every reader of a format gets, and where it puts what it finds. */
import type { Draft } from "./draft.ts";
import type { Findings } from "./findings.ts";
import type { Notices } from "./notices.ts";
import type { SourceText } from "./source-text.ts";

export interface ReadDrafts {
  readonly source: SourceText;
  readonly drafts: Draft[];
  readonly findings: Findings;
  readonly notices: Notices;
}
