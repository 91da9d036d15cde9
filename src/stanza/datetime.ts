// XEP-0082 "DateTime": reading the times that peers write. Writing them is in delay.ts.

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const MINUTE_MS = 60_000;

/** Milliseconds since 1970, with a fraction where the text is more exact than that; undefined when it is no such time. */
export function timeOfText(text: string): number | undefined {
  const match = DATE_TIME.exec(text.trim());
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const offset = offsetOf(match[8] ?? "Z");
  const ms = timeOf(year, month, day);
  if (ms === undefined || offset === undefined) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined; // 60: a leap second, which is the first of the next minute here
  return ms + ((hour * 60 + minute) * 60 + second) * 1000 + fractionOf(match[7] ?? "") - offset;
}

/** Midnight UTC of a day that exists. */
function timeOf(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
}

function fractionOf(digits: string): number {
  return Number(digits.slice(0, 3).padEnd(3, "0")) + Number(`0.${digits.slice(3) || "0"}`);
}

/** Milliseconds that the zone is ahead of UTC. */
function offsetOf(zone: string): number | undefined {
  if (zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}
