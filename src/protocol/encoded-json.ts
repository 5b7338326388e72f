/**
 * JSON that is encoded once and sent several times. The bytes of a record that a worker has stored are
 * also those of its replies: a reply is assembled around them.
 */

/** A value of which only the JSON is known. It stands for the value in the body of a reply. */
export class EncodedJson<Value> {
  readonly bytes: Buffer;
  /** Never set. It lets the compiler tell the encoded values apart. */
  declare protected readonly value?: Value;

  constructor(value: Value) {
    this.bytes = Buffer.from(JSON.stringify(value));
  }
}

/**
 * A body in which values of one type may be encoded: the value of a field, an element of a list, or the
 * value of a field of such an element. The list is a field of the body, or of an object in the body.
 */
export type Sendable<Body, Part> = {
  readonly [Name in keyof Body]: Field<Body[Name], Part> | Inner<Body[Name], Part>;
};
type Inner<Value, Part> = Value extends readonly unknown[]
  ? never
  : Value extends object
    ? { readonly [Name in keyof Value]: Field<Value[Name], Part> }
    : never;
type Field<Value, Part> =
  | Encodable<Value, Part>
  | (Value extends readonly (infer Item)[] ? readonly Element<Item, Part>[] : never);
type Element<Item, Part> =
  Encodable<Item, Part> | { readonly [Name in keyof Item]: Encodable<Item[Name], Part> };
type Encodable<Value, Part> = Value | (Part extends Value ? EncodedJson<Part> : never);

/** The JSON of a body, with the bytes of the values that are encoded already. */
export function encodeBody(body: object): Buffer {
  const parts = new Parts();
  parts.addBody(body);
  return parts.join();
}

/** The number of bytes that the JSON of an element takes in a body. */
export function bytesOfItem(item: unknown): number {
  const parts = new Parts();
  parts.addItem(item);
  return parts.size;
}

/**
 * At least as many bytes as the JSON of the value takes: each character could need an escape, and each
 * number could be a time. It takes a tenth of the time of encoding the value.
 */
export function maxJsonBytes(value: unknown): number {
  if (typeof value === "string") return 2 + MAX_BYTES_OF_CHARACTER * value.length;
  if (typeof value !== "object" || value === null) return MAX_BYTES_OF_NUMBER;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += 1 + maxJsonBytes(item);
  else {
    for (const name in value) {
      const inner = (value as Record<string, unknown>)[name];
      bytes += 4 + MAX_BYTES_OF_CHARACTER * name.length + maxJsonBytes(inner);
    }
  }
  return bytes;
}
/** As in `\u0000`. */
const MAX_BYTES_OF_CHARACTER = 6;
/** As in "2025-11-12T17:30:00.000Z". No number takes more. */
const MAX_BYTES_OF_NUMBER = 26;

/** Texts and encoded values, in the order in which they are sent. */
class Parts {
  readonly #parts: (string | Buffer)[] = [];
  /** What comes after the last part. */
  #text = "";

  addBody(body: object): void {
    this.#addFields(body, (value) => {
      if (isEncodedList(value)) this.#addList(value);
      else if (holdsEncodedList(value)) this.addBody(value);
      else this.#addValue(value);
    });
  }

  addItem(item: unknown): void {
    if (item instanceof EncodedJson || !holdsEncoded(item)) this.#addValue(item);
    else {
      this.#addFields(item, (value) => {
        this.#addValue(value);
      });
    }
  }

  get size(): number {
    return this.#all().reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  }

  join(): Buffer {
    const [first, second] = this.#all();
    if (second === undefined) return Buffer.from(first ?? "");
    const joined = Buffer.allocUnsafe(this.size);
    let end = 0;
    for (const part of this.#all()) {
      end += typeof part === "string" ? joined.write(part, end) : part.copy(joined, end);
    }
    return joined;
  }

  #all(): (string | Buffer)[] {
    if (this.#text !== "") this.#parts.push(this.#text);
    this.#text = "";
    return this.#parts;
  }

  #addList(items: readonly unknown[]): void {
    let before = "[";
    for (const item of items) {
      this.#text += before;
      this.addItem(item);
      before = ",";
    }
    this.#text += "]";
  }

  #addFields(fields: object, add: (value: unknown) => void): void {
    let before = "{";
    // The names are those of the protocol, which need no escapes.
    for (const name in fields) {
      const value = (fields as Record<string, unknown>)[name];
      if (value === undefined) continue;
      this.#text += `${before}"${name}":`;
      add(value);
      before = ",";
    }
    this.#text += before === "{" ? "{}" : "}";
  }

  #addValue(value: unknown): void {
    if (value instanceof EncodedJson) {
      this.#parts.push(this.#text, value.bytes);
      this.#text = "";
    } else if (typeof value === "boolean" || Number.isSafeInteger(value)) {
      this.#text += String(value);
    } else this.#text += JSON.stringify(value);
  }
}

function isEncodedList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.some(holdsEncoded);
}

function holdsEncodedList(value: unknown): value is object {
  if (typeof value !== "object" || value === null || value instanceof EncodedJson) return false;
  for (const name in value) {
    if (isEncodedList((value as Record<string, unknown>)[name])) return true;
  }
  return false;
}

function holdsEncoded(item: unknown): item is object {
  if (item instanceof EncodedJson) return true;
  if (typeof item !== "object" || item === null) return false;
  for (const name in item) {
    if ((item as Record<string, unknown>)[name] instanceof EncodedJson) return true;
  }
  return false;
}
