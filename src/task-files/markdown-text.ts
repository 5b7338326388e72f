/** The text of Markdown, without its signs. */
import type { PhrasingContent } from "mdast";

/** What a reader sees: without bold, links and code signs. `<br>` is a line break. */
export function visibleText(nodes: readonly PhrasingContent[]): string {
  return nodes.map(textOf).join("");
}

export function textOf(node: PhrasingContent): string {
  switch (node.type) {
    case "text":
    case "inlineCode":
      return node.value;
    case "break":
      return "\n";
    case "html":
      return /^<br\s*\/?>$/i.test(node.value) ? "\n" : "";
    case "image":
      return node.alt ?? "";
    default:
      return "children" in node ? visibleText(node.children) : "";
  }
}

/** Whether all of the text is struck through. */
export function isStruck(nodes: readonly PhrasingContent[]): boolean {
  const visible = nodes.filter((node) => textOf(node).trim() !== "");
  return visible.length > 0 && visible.every(({ type }) => type === "delete");
}
