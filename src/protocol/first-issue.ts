/**
 * The first wrong entry of a long list. Zod checks all entries and makes an issue for each wrong value: half a
 * million in a body of a megabyte, which takes over a second. So a long body is checked entry by entry first.
 */
import { z } from "zod";

/** Looks at the fields that are lists of objects. Zod itself limits the lists of names and ids. */
export function firstIssueInLists(schema: z.ZodType, json: object): z.core.$ZodIssue | null {
  if (!(schema instanceof z.ZodObject)) return null;
  for (const [name, field] of Object.entries(schema.shape) as [string, z.ZodType][]) {
    const element = elementOf(field);
    const list: unknown = json[name as keyof object];
    if (element === null || !Array.isArray(list)) continue;
    for (const [position, entry] of list.entries()) {
      const issue = element.safeParse(entry, { reportInput: true }).error?.issues[0];
      if (issue !== undefined) return { ...issue, path: [name, position, ...issue.path] };
    }
  }
  return null;
}

function elementOf(field: z.ZodType): z.ZodObject | null {
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) {
    return elementOf(field.unwrap() as z.ZodType);
  }
  return field instanceof z.ZodArray && field.element instanceof z.ZodObject ? field.element : null;
}
