/** Reads check-lists: `- [ ] title` and `- [x] title`. A task is complete when the tasks below it are. */
import type { BlockContent, DefinitionContent, Heading, List, ListItem, Paragraph } from "mdast";
import type { Located } from "./draft.ts";
import { visibleText } from "./markdown-text.ts";
import type { ReadDrafts } from "./reading.ts";
import { toDraft } from "./row-to-draft.ts";
import { slugOf } from "./slug.ts";

/** With a sign after it, anything with a digit is an id: `T1: title`. Without, it must look like one: `P0.1 title`. */
const LEADING_ID =
  /^\[?#?(?:((?=[\w./-]*\d)\w+(?:[./-]\w+)*)\]?(?:\s*[:–—]\s*|\s+-\s+)|([A-Za-z]*\d*(?:\.\d+)+|[A-Z][A-Z\d]+-\d+)\]?(?:\s+|$))/;
const DEPENDS_ON = /\s*[([]\s*(?:depends on|blocked by|after|needs)[:\s]\s*([^)\]]+)[)\]]\s*$/i;
/** `[-]` and `[/]` are no check-boxes of GitHub, but editors write them. */
const OTHER_BOX = /^\[([-~/])\]\s+/;

interface Place {
  /** The titles of the tasks around an item, as parts of its id. */
  readonly path: readonly string[];
  readonly parent: string | null;
}

export class CheckListReader {
  readonly #to: ReadDrafts;
  /** The heading above, except for the title of the document. */
  #heading: string | null = null;

  constructor(to: ReadDrafts) {
    this.#to = to;
  }

  enter(heading: Heading): void {
    this.#heading = heading.depth === 1 ? null : slugOf(visibleText(heading.children));
  }

  read(list: List, offsetOf: (offset: number) => number): void {
    this.#readList(list, offsetOf, {
      path: this.#heading === null ? [] : [this.#heading],
      parent: null,
    });
  }

  #readList(list: List, offsetOf: (offset: number) => number, place: Place): void {
    for (const item of list.children) {
      const task = taskIn(item);
      const inner = task === null ? place : this.#readTask(item, task, offsetOf, place);
      for (const child of item.children) {
        if (child.type === "list") this.#readList(child, offsetOf, inner);
      }
    }
  }

  /** @returns the place of the items below */
  #readTask(
    item: ListItem,
    task: TaskText,
    offsetOf: (offset: number) => number,
    place: Place,
  ): Place {
    const { source, findings, notices, drafts } = this.#to;
    const offset = offsetOf(item.position?.start.offset ?? 0);
    const dependsOn = DEPENDS_ON.exec(task.text);
    const text = dependsOn === null ? task.text : task.text.slice(0, dependsOn.index);
    const [leading = "", signed, bare] = LEADING_ID.exec(text) ?? [];
    const title = text.slice(leading.length);
    const path = [...place.path, slugOf(title === "" ? text : title)];
    const id = signed ?? bare ?? path.join("/");
    const fields = new Map<string, Located>([
      ["task_id", { value: id, offset }],
      ["title", { value: title, offset }],
      ["status", { value: task.status, offset }],
    ]);
    const description = descriptionOf(item);
    if (description !== "") fields.set("description", { value: description, offset });
    if (dependsOn !== null) fields.set("depends_on", { value: dependsOn[1], offset });
    const draft = toDraft(
      { source, offset, fields, isTextual: true, idsAbove: () => [] },
      findings,
      notices,
    );
    if (draft === null) return place;
    drafts.push({ ...draft, parent: place.parent });
    return { path, parent: id };
  }
}

/** How many tasks a list has, with those in the lists inside of it. */
export function countOfTasks(list: List): number {
  return list.children.reduce((count, item) => {
    const inside = item.children.map((child) => (child.type === "list" ? countOfTasks(child) : 0));
    return inside.reduce((sum, one) => sum + one, count + (taskIn(item) === null ? 0 : 1));
  }, 0);
}

interface TaskText {
  readonly text: string;
  readonly status: string;
}

/** `null` for an item without a check-box. */
function taskIn(item: ListItem): TaskText | null {
  const paragraph = item.children.find(isParagraph);
  if (paragraph === undefined) return null;
  const text = oneLine(visibleText(paragraph.children));
  if (typeof item.checked === "boolean") return { text, status: item.checked ? "done" : "open" };
  const box = OTHER_BOX.exec(text);
  if (box === null) return null;
  const status = box[1] === "/" ? "in progress" : "cancelled";
  return { text: text.slice(box[0].length), status };
}

/** What an item has in addition to its title and the tasks below it. */
function descriptionOf(item: ListItem): string {
  const title = item.children.find(isParagraph);
  return item.children
    .filter((child) => child !== title)
    .map((child) => blockText(child))
    .filter((text) => text !== "")
    .join("\n");
}

function blockText(block: BlockContent | DefinitionContent): string {
  if (block.type === "paragraph") return visibleText(block.children);
  if (block.type === "code") return block.value;
  if (block.type !== "list") return "";
  return block.children
    .filter((item) => taskIn(item) === null)
    .map((item) => `- ${item.children.map(blockText).join("\n  ")}`)
    .join("\n");
}

function isParagraph(node: BlockContent | DefinitionContent): node is Paragraph {
  return node.type === "paragraph";
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
