/** Fields of a request that the user has given. The coordinator has a default for the others. */

export type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

export function givenFields<T extends object>(fields: T): Given<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Given<T>;
}
