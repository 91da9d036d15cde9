// The one text type of everything that goes over a socket: a latin1 string whose char codes are the UTF-8 bytes.
// Only this file converts between it and ordinary (UTF-16) strings or bytes.

declare const brand: unique symbol;

/** UTF-8 bytes, one per char code. Written to sockets with the encoding "latin1"; its length is its size in bytes. */
export type Wire = string & { readonly [brand]: "Wire" };

/** The wire form of ordinary text. Lone surrogates become U+FFFD, as everywhere in Node. */
export function toWire(text: string): Wire {
  return (isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1")) as Wire;
}

/** The ordinary text of a wire string. */
export function fromWire(wire: Wire): string {
  return isAscii(wire) ? wire : Buffer.from(wire, "latin1").toString("utf8");
}

/** A flat copy of some bytes, safe to keep: it does not hold on to the buffer it was cut from. */
export function wireOf(bytes: Buffer, start = 0, end = bytes.length): Wire {
  return bytes.toString("latin1", start, end) as Wire;
}

/** The bytes of a wire string, for stores and hashes. */
export function bytesOf(wire: Wire): Buffer {
  return Buffer.from(wire, "latin1");
}

/** Template tag for wire text: the literal parts must be ASCII, the holes are wire strings already escaped. */
export function w(literals: TemplateStringsArray, ...holes: readonly Wire[]): Wire {
  let out = literals[0] ?? "";
  for (let i = 0; i < holes.length; i++) out += (holes[i] ?? "") + (literals[i + 1] ?? "");
  return out as Wire;
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}
