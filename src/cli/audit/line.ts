/** A message of the audit as one line for people. */
import type { StoredAuditMessage } from "../../nats/audit-reader.ts";
import { colors } from "../shared/colors.ts";
import { printable } from "../shared/terminal-text.ts";

/** Wide enough for the longest outcome and operation. Longer names move the rest of their line. */
const WIDTHS = { outcome: 16, operation: 19, principal: 12, session: 12 } as const;
const NONE = "-";

export function formatAuditMessage(message: StoredAuditMessage): string {
  const { time, outcome, operation, principal, session_id: session, id, count } = message;
  const { attempt } = message;
  const isRefused = outcome !== "ok";
  const what = isRefused ? outcome : (message.event ?? outcome).replace(/^task_/, "");
  return [
    colors.dim(time.replace(/\.\d+Z$/, "Z")),
    (isRefused ? colors.red : colors.green)(printable(what).padEnd(WIDTHS.outcome)),
    cell(principal, WIDTHS.principal),
    cell(operation, WIDTHS.operation),
    cell(session, WIDTHS.session),
    printable(id ?? NONE),
    attempt === undefined || attempt === 0 ? "" : `#${attempt}`,
    count === undefined ? "" : `and ${count - 1} more within a second`,
  ]
    .filter((text) => text !== "")
    .join(" ");
}

export function auditHeader(): string {
  return colors.dim(
    [
      "TIME".padEnd("2026-01-31T17:30:00Z".length),
      "OUTCOME".padEnd(WIDTHS.outcome),
      "PRINCIPAL".padEnd(WIDTHS.principal),
      "OPERATION".padEnd(WIDTHS.operation),
      "SESSION".padEnd(WIDTHS.session),
      "ID",
    ].join(" "),
  );
}

function cell(text: string | undefined, width: number): string {
  return printable(text ?? NONE).padEnd(width);
}
