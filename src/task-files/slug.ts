/** Ids made from titles. The same title always has the same id, so that a file can be imported again. */
import { createHash } from "node:crypto";

const MAX_LENGTH = 60;

/** `Set up: the bus!` becomes `set-up-the-bus`. Titles that differ only in lost characters stay different. */
export function slugOf(title: string): string {
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const slug = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const isComplete = !/[^\p{ASCII}\p{P}\p{S}\p{Z}]/u.test(plain) && slug.length <= MAX_LENGTH;
  if (isComplete && slug !== "") return slug;
  const hash = createHash("sha256").update(title.normalize("NFC")).digest("hex").slice(0, 8);
  return [slug.slice(0, MAX_LENGTH - 9).replace(/-$/, ""), hash]
    .filter((part) => part !== "")
    .join("-");
}
