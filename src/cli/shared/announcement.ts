/** What `dev` and `serve` say when their workers serve. */
import { VERSION } from "../../version.ts";
import type { Announcement } from "./output.ts";

/** Says that the workers serve, and at which addresses. */
export function announcementOf(
  { workers }: { readonly workers: number },
  { httpUrl }: { readonly httpUrl: string | null },
  more: Announcement["fields"],
): Announcement {
  const fields = { version: VERSION, ...more, workers, http: httpUrl };
  return { message: "if-coordinator serves", fields };
}
