// The sections of the configuration file that the core and the transports know: names, kinds, defaults and what each is for.
// A feature contributes its own section the same way.
import { z } from "zod";
import { LATER_LIMITS, limitSettings } from "../limits.js";
import {
  addresses,
  choice,
  domainName,
  domainNames,
  duration,
  endpoints,
  files,
  flag,
  kind,
  perDomain,
  setting,
  size,
  storagePlace,
  text,
  webAddress,
  whole,
} from "./values.js";

/** A table of the file and the keys it may hold; the section named "" is the top of the file. */
export interface ConfigSection<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly name: Name;
  readonly doc: string;
  readonly schema: Schema;
  /** Keys that are checked already, but whose feature is not there yet: setting one is a warning. */
  readonly later?: readonly string[];
}

/** Declares a section, keeping the types of its keys. */
export function section<const Name extends string, Shape extends z.core.$ZodLooseShape>(
  name: Name,
  doc: string,
  shape: Shape,
  later: readonly (keyof Shape & string)[] = [],
): ConfigSection<Name, z.ZodObject<Shape>> {
  return { name, doc, schema: z.object(shape), later };
}

const host = kind(
  "a domain name, in which <domain> stands for each domain of the server",
  domainName.schema.or(placeholder()),
);

function placeholder(): z.ZodType<string> {
  return z.string().regex(/^[\p{L}\p{N}.-]*<domain>$/u);
}

export const CORE_SECTIONS = [
  section("", "Relative file names start at the working directory of the server.", {
    domain: setting(domainName, "localhost", "The domain of the user addresses."),
    domains: setting(domainNames, [], "Several domains, instead of domain."),
    data_dir: setting(
      text,
      "./data",
      "Folder for the database, the certificate made at first start, and the control socket.",
    ),
    admins: setting(addresses, [], "Accounts that may administer the server."),
  }),
  section("storage", "Where accounts and messages are kept.", {
    url: setting(
      storagePlace,
      "sqlite:rookery.db",
      "sqlite:FILE (relative to data_dir), memory: or mongodb://HOST:PORT/NAME.",
    ),
    timeout: setting(
      duration,
      "30s",
      "How long a write may stay undecided before streams are closed and new stanzas refused.",
    ),
  }),
  section("c2s", "Connections of clients.", {
    listen: setting(endpoints, ["0.0.0.0:5222", "[::]:5222"], "Addresses for plain TCP, upgraded by STARTTLS."),
    direct_tls: setting(endpoints, ["0.0.0.0:5223", "[::]:5223"], "Addresses for TLS from the first byte (XEP-0368)."),
    require_tls: setting(
      flag,
      true,
      "false allows logging in on plain TCP: for tests and benchmarks on loopback only.",
    ),
  }),
  section("tls", "Without these a certificate is made at first start and kept in data_dir. SIGHUP reads them again.", {
    certificate: setting(files, "", "PEM file with the certificate and its chain; a list for several domains."),
    key: setting(files, "", "PEM file with the private key; a list in the same order as certificate."),
  }),
  section("auth", "Logging in.", {
    scram_iterations: setting(
      whole(4096, 1_000_000),
      10_000,
      "Work per password guess (RFC 5802); for passwords set from now on.",
    ),
    anonymous: setting(flag, false, "Let anyone log in without an account, under a temporary address."),
  }),
  section("registration", "Making accounts from a client (XEP-0077).", {
    mode: setting(
      choice("closed", "invite", "open"),
      "closed",
      "Who may make an account: nobody, who has an invitation, anyone.",
    ),
  }),
  section("archive", "The message archive (XEP-0313).", {
    default: setting(
      choice("always", "roster", "never"),
      "always",
      "What is archived for accounts that have not chosen.",
    ),
    retention: setting(perDomain(duration), "1y", "How long messages are kept; 0 for ever."),
    quota: setting(perDomain(size), "1GiB", "Archive of one account; the oldest messages go first. 0 for no quota."),
  }),
  section("muc", "Group chat (XEP-0045).", {
    host: setting(host, "conference.<domain>", "Domain of the rooms."),
    create: setting(choice("users", "admins"), "users", "Who may create rooms."),
  }),
  section(
    "pubsub",
    "Publish-subscribe (XEP-0060).",
    {
      host: setting(host, "pubsub.<domain>", "Domain of the nodes."),
      create: setting(choice("users", "admins"), "users", "Who may create nodes."),
    },
    ["host", "create"],
  ),
  section("limits", "Every limit has a name; 0 is off.", limitSettings, LATER_LIMITS),
  section(
    "http",
    "Web: /ws /bosh /upload /.well-known/host-meta(.json) /metrics /health, and the web chat at /.",
    {
      listen: setting(endpoints, ["127.0.0.1:5280"], "Addresses for plain HTTP."),
      tls_listen: setting(endpoints, [], "Addresses for HTTPS with the certificate of [tls]."),
      public_url: setting(webAddress, "http://localhost:5280", "The address under which clients reach this."),
    },
    ["tls_listen", "public_url"],
  ),
  section("log", "What the server says about itself, on standard output.", {
    level: setting(choice("error", "warn", "info", "debug"), "info", "The least important events to write."),
    format: setting(choice("pretty", "json"), "pretty", "For people, or for programs: one JSON object in a line."),
  }),
  section("privacy", "What strangers may see.", {
    public_vcards: setting(flag, true, "false shows vCards and open nodes only to contacts."),
  }),
] as const;

type Section = (typeof CORE_SECTIONS)[number];
type Values<S> = S extends ConfigSection<string, infer Schema> ? Readonly<z.output<Schema>> : never;

/** The settings in effect, by section, with the names of the file; times in ms, sizes in bytes. */
export type Config = Values<Extract<Section, { name: "" }>> & {
  readonly [S in Exclude<Section, { name: "" }> as S["name"]]: Values<S>;
};
