// The kinds of value a setting may have, each a zod schema that reads the spelling of the file ("250ms", "1GiB", "[::]:5222")
// once into what the program works with (milliseconds, bytes, an address), and says in words what it allows.
import { z } from "zod";

/** What the file, the printed settings and the reference page say about one setting. */
export interface SettingFacts {
  /** One or two sentences for the person who runs the server. */
  readonly doc: string;
  /** What is allowed, as the end of "must be …". */
  readonly expects: string;
  /** The default as it would be written in the file. */
  readonly initial: unknown;
  /** Never printed. */
  readonly secret?: boolean;
}

const facts = z.registry<SettingFacts>();

/** What is known of a setting, or nothing if its schema was not made by {@link setting}. */
export function factsOf(schema: z.ZodType): SettingFacts | undefined {
  return facts.get(schema);
}

/** A value's reader together with the words for what it allows. */
export interface Kind<T> {
  readonly expects: string;
  readonly schema: z.ZodType<T>;
}

/** One setting: its kind, its default as written in the file, and what it is for. */
export function setting<T>(kind: Kind<T>, initial: unknown, doc: string, secret = false): z.ZodType<T> {
  const schema = z.prefault(kind.schema, initial);
  facts.add(schema, { doc, expects: kind.expects, initial, secret });
  return schema;
}

/** A kind that narrows another one by a rule on the value as read. */
export function kind<T>(expects: string, schema: z.ZodType<T>): Kind<T> {
  return { expects, schema };
}

export const flag = kind("true or false", z.boolean());
export const text = kind("a text that is not empty", z.string().min(1));

/** One of a few words. */
export function choice<const W extends readonly string[]>(...words: W): Kind<W[number]> {
  return kind(`one of ${words.map((word) => `"${word}"`).join(", ")}`, z.enum(words));
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  return kind(`a whole number ${range}`, z.int().min(least).max(most));
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Milliseconds of "250ms", "30s", "5min", "12h", "7d", "2w", "1y" (365 days), or 0. */
export const duration = kind('a time like "250ms", "30s", "5min", "12h", "7d", "1y", or 0', measured(UNIT_MS, false));

/** Bytes of "512KiB", "10MB", "1GiB", or a whole number of bytes. */
export const size = kind(
  'a size like "512KiB", "10MB", "1GiB", or a whole number of bytes',
  measured(UNIT_BYTES, true),
);

function measured(units: Readonly<Record<string, number>>, bareNumbers: boolean): z.ZodType<number> {
  return z.union([z.string(), z.int()]).transform((value, context) => {
    const amount = typeof value === "string" ? amountOf(value, units) : bareNumbers || value === 0 ? value : undefined;
    if (amount !== undefined && amount >= 0 && Number.isSafeInteger(amount)) return amount;
    context.addIssue({ code: "custom" });
    return z.NEVER;
  });
}

function amountOf(written: string, units: Readonly<Record<string, number>>): number | undefined {
  const parts = /^(\d{1,15}) ?([A-Za-z]+)$/.exec(written.trim());
  const unit = parts?.[2] === undefined || !Object.hasOwn(units, parts[2]) ? undefined : units[parts[2]];
  if (parts?.[1] !== undefined && unit !== undefined) return Number(parts[1]) * unit;
  return written.trim() === "0" ? 0 : undefined;
}

// Only what a host name can be at all; the JID rules (RFC 7622 §3.2) are applied where domains become JIDs.
const DOMAIN = /^[^\s@/<>&"'\p{Cc}:[\]]{1,1023}$/u;
const oneDomain = z
  .string()
  .regex(DOMAIN)
  .transform((name) => name.toLowerCase().replace(/\.$/, ""));

/** A value for every domain: `default`, and others by the names of domains. */
export type PerDomain<T> = Readonly<Record<string, T>> & { readonly default: T };

/** One value, or a table of values by domain: `{ default = "1y", "b.example" = "90d" }`. */
export function perDomain<T>({ expects, schema }: Kind<T>): Kind<PerDomain<T>> {
  const table = z.record(oneDomain, schema).refine((values) => Object.hasOwn(values, "default"));
  const all = z.union([schema.transform((value) => ({ default: value })), table]);
  return kind(`${expects}; or such values by domain, like { default = …, "b.example" = … }`, all as never);
}

/** The value for a domain; for a service on a subdomain that of the domain, unless it has one of its own. */
export function forDomain<T>(values: PerDomain<T>, domain: string): T {
  for (let name = domain; name !== ""; name = name.slice(name.indexOf(".") + 1 || name.length))
    if (Object.hasOwn(values, name)) return values[name] ?? values.default;
  return values.default;
}

/** An address to listen on. A `[…]` host is opened for IPv6 only, so that it can stand beside the same port on 0.0.0.0. */
export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly ipv6Only: boolean;
}

const endpoint = z.string().transform((written, context): Endpoint => {
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45}(?:%\w{1,15})?)\]|([A-Za-z0-9.-]{1,253})):(\d{1,5})$/.exec(written);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host !== undefined && port <= 65535) return { host, port, ipv6Only: parts?.[1] !== undefined };
  context.addIssue({ code: "custom" });
  return z.NEVER;
});

export const endpoints = kind(
  'a list of addresses like "0.0.0.0:5222" or "[::]:5222"',
  z.array(endpoint).readonly() as z.ZodType<readonly Endpoint[]>,
);

/** How an endpoint is written. */
export function endpointText(at: Endpoint): string {
  return at.host.includes(":") ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

export const domainName = kind('a domain name like "chat.example"', oneDomain as z.ZodType<string>);
export const domainNames = kind(
  'a list of domain names like ["a.example", "b.example"]',
  z.array(oneDomain).readonly() as z.ZodType<readonly string[]>,
);

export const addresses = kind(
  'a list of user addresses like ["admin@chat.example"]',
  z.array(z.string().regex(/^[^\s@/]{1,1023}@[^\s@/]{1,1023}$/)).readonly() as z.ZodType<readonly string[]>,
);

/** Where the data is kept, as read from `storage.url`. */
export type StoragePlace =
  | { readonly driver: "memory" }
  | { readonly driver: "sqlite"; /** Relative to `data_dir`. */ readonly file: string }
  | { readonly driver: "mongodb"; readonly url: string };

export const storagePlace = kind(
  '"sqlite:FILE" (relative to data_dir), "memory:" or "mongodb://HOST:PORT/NAME"',
  z.string().transform((written, context): StoragePlace => {
    if (written === "memory:") return { driver: "memory" };
    if (/^sqlite:[^\0]+$/.test(written)) return { driver: "sqlite", file: written.slice("sqlite:".length) };
    if (/^mongodb(?:\+srv)?:\/\/[^/]+\/[^/?]+/.test(written)) return { driver: "mongodb", url: written };
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }),
);

/** One file or several, as a list. */
export const files = kind(
  "a file name or a list of file names",
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === "string" ? (value === "" ? [] : [value]) : value)) as z.ZodType<
    readonly string[]
  >,
);

export const webAddress = kind('a URL like "https://chat.example"', z.url({ protocol: /^https?$/ }));
