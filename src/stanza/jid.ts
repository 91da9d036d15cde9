// RFC 7622: addresses. A JID is immutable and always in its one normalised form, the same for routing, storing and access.
import { LRUCache } from "lru-cache";
import { escapeAttribute, unescape } from "../xml/escape.js";
import { bytesOf, type Wire, wireOf } from "../xml/wire.js";
import { normalizeDomain } from "./domain.js";
import { opaqueString, PrecisError, usernameCaseMapped } from "./precis.js";

/** The text is not a JID. */
export class JidError extends Error {
  override readonly name = "JidError";
}

const MAX_PART_BYTES = 1023; // RFC 7622 §3.2 to §3.4, counted after normalisation
const MAX_CACHED_CHARS = 512; // longer ones are parsed each time, so that the cache stays below some ten megabytes
const MAX_CACHED = 10_000; // the addresses of a busy server's last seconds
const EXCLUDED_FROM_LOCAL = /["&'/:<>@]/; // RFC 7622 §3.3.1
const PLAIN_LOCAL = /^[a-z0-9!#$%()*+,\-.;=?[\\\]^_`{|}~]+$/;
const PLAIN_RESOURCE = /^[!-~](?:[ -~]*)$/;

export class JID {
  /** "" when there is none. */
  readonly local: string;
  readonly domain: string;
  /** "" when there is none. */
  readonly resource: string;
  /** The address as escaped for an attribute value. */
  readonly wire: Wire;
  readonly #text: string;
  #bare: JID | undefined;

  static readonly #cache = new LRUCache<Wire, JID | false>({ max: MAX_CACHED }); // false: malformed

  private constructor(local: string, domain: string, resource: string, bare?: JID) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.#text = (local === "" ? "" : `${local}@`) + domain + (resource === "" ? "" : `/${resource}`);
    this.wire = escapeAttribute(this.#text);
    this.#bare = resource === "" ? this : bare;
  }

  /** Splits by RFC 7622 §3.1: the first `/` ends the bare part, the first `@` in that ends the localpart. Throws JidError. */
  static parse(text: string): JID {
    const slash = text.indexOf("/");
    const bare = slash < 0 ? text : text.slice(0, slash);
    const at = bare.indexOf("@");
    const local = at < 0 ? "" : normalizeLocal(bare.slice(0, at));
    const resource = slash < 0 ? "" : normalizeResource(text.slice(slash + 1));
    return new JID(local, domainOf(bare.slice(at + 1)), resource);
  }

  /** A JID from its parts, "" for an absent local or resource. Throws JidError. */
  static of(local: string, domain: string, resource = ""): JID {
    const name = local === "" ? "" : normalizeLocal(local);
    return new JID(name, domainOf(domain), resource === "" ? "" : normalizeResource(resource));
  }

  /** The JID of a raw, still escaped attribute value; undefined when malformed. Remembers the last answers. */
  static parseWire(raw: Wire): JID | undefined {
    const known = JID.#cache.get(raw);
    if (known !== undefined) return known === false ? undefined : known;
    const parsed = parseOr(raw);
    // The key is a copy of its own: a slice would hold on to the stanza it was cut from.
    if (raw.length <= MAX_CACHED_CHARS) JID.#cache.set(wireOf(bytesOf(raw)), parsed ?? false);
    return parsed;
  }

  /** Without the resource; this JID itself when it has none. */
  get bare(): JID {
    this.#bare ??= new JID(this.local, this.domain, "");
    return this.#bare;
  }

  get isBare(): boolean {
    return this.resource === "";
  }

  /** The same account with this resource. Throws JidError, also for "". */
  withResource(resource: string): JID {
    return new JID(this.local, this.domain, normalizeResource(resource), this.bare);
  }

  equals(other: JID): boolean {
    return this === other || this.#text === other.#text;
  }

  toString(): string {
    return this.#text;
  }
}

function parseOr(raw: Wire): JID | undefined {
  try {
    return JID.parse(unescape(raw));
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

/** The localpart, also as a bare user name (SASL, registration, commands), in its normalised form. Throws JidError. */
export function normalizeLocal(text: string): string {
  const local = PLAIN_LOCAL.test(text) ? text : precis("localpart", text, usernameCaseMapped);
  if (EXCLUDED_FROM_LOCAL.test(local)) throw new JidError("the localpart has one of \" & ' / : < > @");
  return bounded("localpart", local);
}

/** RFC 7622 §3.5 (row 18) refuses a leading space, which OpaqueString alone would allow. */
function normalizeResource(text: string): string {
  const resource = PLAIN_RESOURCE.test(text) ? text : precis("resourcepart", text, opaqueString);
  if (resource.startsWith(" ")) throw new JidError("the resourcepart begins with a space");
  return bounded("resourcepart", resource);
}

function domainOf(text: string): string {
  const domain = normalizeDomain(text);
  if (domain === undefined) throw new JidError("the domainpart is not a host name or an IP literal");
  return bounded("domainpart", domain);
}

function precis(part: string, text: string, profile: (text: string) => string): string {
  // Normalisation at most triples the bytes; beyond that it is not worth the work.
  if (text.length > 3 * MAX_PART_BYTES) throw new JidError(`the ${part} is longer than ${MAX_PART_BYTES} bytes`);
  try {
    return profile(text);
  } catch (error) {
    if (error instanceof PrecisError) throw new JidError(`the ${part} ${error.message}`, { cause: error });
    throw error;
  }
}

function bounded(part: string, text: string): string {
  if (Buffer.byteLength(text) > MAX_PART_BYTES)
    throw new JidError(`the ${part} is longer than ${MAX_PART_BYTES} bytes`);
  return text;
}
