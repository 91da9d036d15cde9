// The attributes of XEP-0198's elements, as its schema has them.
const COUNT = /^\s*\+?\d{1,20}\s*$/;
const MAX_COUNT = 2 ** 32 - 1;

/** xs:unsignedInt; undefined for anything else. */
export function countIn(value: unknown): number | undefined {
  const count = typeof value === "string" && COUNT.test(value) ? Number(value) : NaN;
  return count <= MAX_COUNT ? count : undefined;
}

/** xs:positiveInteger, in seconds; undefined where there is none. */
export function secondsIn(value: unknown): number | undefined | "invalid" {
  if (value === undefined) return undefined;
  const seconds = typeof value === "string" && COUNT.test(value) ? Number(value) : 0;
  return seconds > 0 ? seconds : "invalid";
}

/** xs:boolean. */
export function isTrue(value: unknown): boolean {
  return value === "true" || value === "1";
}
