// The order of owners and keys: that of their UTF-8 bytes, which databases use and JavaScript's `<` does not.

/** Negative, zero or positive, as `a` sorts before, with or after `b`. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
