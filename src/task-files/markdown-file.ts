/** Reads a Markdown board: its tables if it has tables of tasks, otherwise its check-lists. */
import type { Nodes, Root } from "mdast";
import { CheckListReader, countOfTasks } from "./check-list.ts";
import { markdownParts } from "./markdown-parts.ts";
import { TableReader } from "./markdown-table.ts";
import type { ReadDrafts } from "./reading.ts";

export function readMarkdown(to: ReadDrafts): void {
  const { source, findings } = to;
  const tables = new TableReader(to);
  let isBoard = false;
  let items = 0;
  for (const { root, offsetOf, isContinued } of markdownParts(source.text)) {
    for (const [index, node] of blocksOf(root).entries()) {
      if (node.type === "list") items += countOfTasks(node);
      if (node.type !== "table") continue;
      isBoard = tables.read(node, offsetOf, isContinued && index === 0) || isBoard;
    }
  }
  if (!isBoard && items > 0) {
    readCheckLists(to);
  } else if (isBoard && items > 0) {
    findings.skipped += items;
    findings.warningInFile(
      source.name,
      `the file has tables of tasks, so its check-lists are left out: ${items} entries`,
    );
  } else if (!isBoard) {
    findings.warningInFile(
      source.name,
      "the file has no tasks: neither a table with the columns ID and Task, nor a check-list `- [ ] title`",
    );
  }
}

function readCheckLists(to: ReadDrafts): void {
  const lists = new CheckListReader(to);
  for (const { root, offsetOf } of markdownParts(to.source.text)) {
    for (const node of blocksOf(root)) {
      if (node.type === "heading") lists.enter(node);
      else if (node.type === "list") lists.read(node, offsetOf);
    }
  }
}

/** The blocks of a document, also those in quotes. */
function blocksOf(root: Root): Nodes[] {
  return root.children.flatMap((node): Nodes[] =>
    node.type === "blockquote" ? node.children : [node],
  );
}
