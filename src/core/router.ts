// One switch: whose is this address? The server's own, an account's, a service's (rooms), or another domain's.
import type { JID } from "../stanza/jid.js";
import type { Flow } from "./flow.js";
import type { DiscoIdentity, IqHandler, IqTable } from "./feature.js";

/** A service on its own subdomain: everything addressed to it is its to decide. */
export interface Service {
  readonly domain: string;
  readonly identity: DiscoIdentity;
  /** Requests to the domain itself. */
  readonly iq: IqTable;
  /** Takes the flow's current stanza, which is presence for the domain itself; without it that means nothing. */
  presence?(flow: Flow): void;
  /** Decides the flow's current stanza, whose `to` has a local part at this domain. */
  decide(flow: Flow): void;
}

/** Where stanzas for domains that are not hosted here go. */
export interface Remote {
  decide(flow: Flow): void;
}

export type Target =
  | { readonly kind: "server" }
  | { readonly kind: "account" }
  | { readonly kind: "service"; readonly service: Service; readonly iq: ReadonlyMap<string, IqHandler> }
  | { readonly kind: "remote" };

const SERVER: Target = { kind: "server" };
const ACCOUNT: Target = { kind: "account" };
const REMOTE: Target = { kind: "remote" };

export class Router {
  readonly #hosted: ReadonlySet<string>;
  readonly #services = new Map<string, Target>();

  constructor(domains: readonly string[], services: readonly Service[]) {
    this.#hosted = new Set(domains);
    for (const service of services)
      this.#services.set(service.domain, { kind: "service", service, iq: new Map(Object.entries(service.iq)) });
  }

  resolve(to: JID): Target {
    if (this.#hosted.has(to.domain)) return to.local === "" ? SERVER : ACCOUNT;
    return this.#services.get(to.domain) ?? REMOTE;
  }
}
