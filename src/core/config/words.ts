// How settings and their values are spelled in messages.

/** "c2s.listen", or "domain" for a key at the top of the file. */
export function fullName(section: string, key: string): string {
  return section === "" ? key : `${section}.${key}`;
}

/** A value as it may stand in a message: short, on one line, without the password of a URL. */
export function shown(value: unknown): string {
  const masked: unknown = typeof value === "string" ? withoutPassword(value) : value;
  const text = JSON.stringify(masked);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** "mongodb://user:(hidden)@host": the address without its secret. */
export function withoutPassword(value: string): string {
  return value.replace(/^([a-z+]+:\/\/[^:@/]*):.*@/i, "$1:(hidden)@");
}
