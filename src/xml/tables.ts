// How a fragment's structure is kept while it is scanned: packed tables of numbers, offsets counted from the fragment's first byte.

/** No colon, no row. */
export const NONE = -9;

/** Namespaces that are not a row of the declarations: the default one around the fragment, `xml:`, a prefix bound around it. */
export const OUTER_DEFAULT = -1;
export const XML = -2;
export const OUTER_PREFIX = -3;
/** The attribute is a declaration itself. */
export const XMLNS = -4;

/** Row widths. Attribute: name start, name end, colon, value start, value end, flags, namespace. */
export const ATTRIBUTE = 7;
/** Prefix start, prefix end (equal for the default namespace), value start, value end, flags. */
export const DECLARATION = 5;
/** Name start, name end, colon, namespace start or code, namespace end, namespace flags, start, end. */
export const CHILD = 8;
/** Name start, name end, default namespace around it, number of declarations around it. */
export const OPEN = 4;

/** Flags of a value: it holds references, quotes or white space other than the space; it holds non-ASCII characters. */
export const SPECIAL = 1;
export const NON_ASCII = 2;

/** Reads a table at an index known to be inside. */
export function at(table: readonly number[], index: number): number {
  return table[index] as number;
}

/** Whether two stretches of the same bytes are equal. */
export function sameBytes(bytes: Buffer, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
