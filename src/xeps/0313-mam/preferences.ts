// XEP-0441: what of an account's messages is shown in its archive. The choice is kept in the store "archive" and loaded with the account;
// whoever has made none has the server's default (`archive.default`). Which address counts is in isShown().
import type { Account } from "../../core/account.js";
import type { Context } from "../../core/context.js";
import type { Answer, Iq } from "../../core/feature.js";
import { AccountSlot } from "../../core/slot.js";
import { isContact } from "../../roster/api.js";
import { StanzaError } from "../../stanza/errors.js";
import { JID, JidError } from "../../stanza/jid.js";
import type { Row } from "../../storage/port.js";
import type { Doc } from "../../storage/writes.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";

/** Documents of an account that have to do with its archive, by key; loaded with the account. */
export const ARCHIVE_STORE = "archive";
const KEY = "preferences";

const DEFAULTS = ["always", "roster", "never"] as const;
type Default = (typeof DEFAULTS)[number];

/** What an account has chosen. An address that is on both lists is on `never` only. */
export interface MamPreferences {
  /** For addresses on neither list; `roster`: what is exchanged with contacts. */
  readonly byDefault: Default;
  /** Addresses by their text, with or without a resource, in the order given. */
  readonly always: ReadonlySet<string>;
  readonly never: ReadonlySet<string>;
}

const chosen = new AccountSlot<{ preferences: MamPreferences | undefined }>(ARCHIVE_STORE, (rows) => ({
  preferences: preferencesIn(rows),
}));

export class Preferences {
  readonly #context: Pick<Context, "config">;
  #default: MamPreferences | undefined;

  constructor(context: Pick<Context, "config">) {
    this.#context = context;
  }

  of(account: Account): MamPreferences {
    return chosen.of(account).preferences ?? this.#byDefault();
  }

  /**
   * "JID matching": whether messages to or from this address are shown. A listed full JID counts before a bare one; of nobody
   * (`undefined`) only the default knows. The account's own address is no stranger where the roster decides.
   */
  isShown(account: Account, other: JID | undefined): boolean {
    const { byDefault, always, never } = this.of(account);
    if (other && (always.size > 0 || never.size > 0)) {
      const [full, bare] = [other.toString(), other.bare.toString()];
      if (never.has(full)) return false;
      if (always.has(full)) return true;
      if (never.has(bare)) return false;
      if (always.has(bare)) return true;
    }
    if (byDefault !== "roster") return byDefault === "always";
    return other !== undefined && (other.bare.equals(account.jid) || isContact(account, other));
  }

  get({ account, own }: Iq): Answer {
    if (!account || !own) return new StanzaError("forbidden");
    return [elementOf(this.of(account))];
  }

  /** Answers with what applies now. */
  set({ flow, account, own, payload }: Iq): Answer {
    if (!account || !own) return new StanzaError("forbidden");
    const preferences = wanted(payload, this.#context.config.limits.archive_preferences);
    if (preferences instanceof StanzaError) return preferences;
    const owner = account.jid.toString();
    flow.apply({
      owner: account,
      writes: [{ op: "put", store: ARCHIVE_STORE, owner, key: KEY, doc: docOf(preferences) }],
      effect: () => (chosen.of(account).preferences = preferences),
    });
    return [elementOf(preferences)];
  }

  #byDefault(): MamPreferences {
    const none = new Set<string>();
    this.#default ??= { byDefault: this.#context.config.archive.default, always: none, never: none };
    return this.#default;
  }
}

function wanted(prefs: Element, most: number): MamPreferences | StanzaError {
  const byDefault = defaultIn(prefs.attrs["default"]);
  if (!byDefault) return new StanzaError("bad-request", "modify", 'default must be "always", "roster" or "never"');
  try {
    const never = addressesIn(prefs.getChild("never", NS.mam));
    const always = addressesIn(prefs.getChild("always", NS.mam));
    for (const address of never) always.delete(address);
    if (always.size + never.size <= most) return { byDefault, always, never };
    return new StanzaError("policy-violation", "modify", `at most ${most} addresses`);
  } catch (error) {
    if (error instanceof JidError) return new StanzaError("jid-malformed", "modify", error.message);
    throw error;
  }
}

/** Throws JidError. */
function addressesIn(list: Element | undefined): Set<string> {
  return new Set(list?.getChildren("jid", NS.mam).map((jid) => JID.parse(jid.text().trim()).toString()));
}

function elementOf({ byDefault, always, never }: MamPreferences): Element {
  const list = (name: string, addresses: ReadonlySet<string>): Element =>
    xml(name, {}, ...[...addresses].map((address) => xml("jid", {}, address)));
  return xml("prefs", { xmlns: NS.mam, default: byDefault }, list("always", always), list("never", never));
}

function docOf({ byDefault, always, never }: MamPreferences): Doc {
  return { v: 1, default: byDefault, always: [...always], never: [...never] };
}

function preferencesIn(rows: readonly Row[]): MamPreferences | undefined {
  const doc = rows.find(({ key }) => key === KEY)?.doc;
  const byDefault = defaultIn(doc?.["default"]);
  return doc && byDefault && { byDefault, always: textsIn(doc["always"]), never: textsIn(doc["never"]) };
}

function defaultIn(value: unknown): Default | undefined {
  return DEFAULTS.find((one) => one === value);
}

function textsIn(value: unknown): ReadonlySet<string> {
  return new Set(Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);
}
