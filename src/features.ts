// The features of the server, in order: within a phase their steps run in the order of this list.
import { type ConfigSection } from "./core/config.js";
import { ACCOUNT_STORE } from "./core/account.js";
import type { Context } from "./core/context.js";
import type { Feature, FeatureStore } from "./core/feature.js";
import { SESSION_STORE } from "./core/record.js";
import type { Service } from "./core/router.js";
import { listening } from "./muc/listening.js";
import { muc, mucServices } from "./muc/service.js";
import { presenceFeature } from "./roster/presence.js";
import { rosterFeature } from "./roster/roster.js";
import { lastActivity } from "./xeps/0012-last-activity.js";
import { disco } from "./xeps/0030-disco.js";
import { privateXml } from "./xeps/0049-private.js";
import { vcard } from "./xeps/0054-vcard.js";
import { registration } from "./xeps/0077-registration.js";
import { version } from "./xeps/0092-version.js";
import { caps } from "./xeps/0115-caps.js";
import { contact, contactSection } from "./xeps/0157-contact.js";
import { offline } from "./xeps/0160-offline/offline.js";
import { keeping } from "./xeps/0313-mam/keeping.js";
import { stableIds } from "./xeps/0359-stable-ids.js";
import { streamManagement, streamManagementSection } from "./xeps/0198-stream-management/stream-management.js";
import { ping } from "./xeps/0199-ping.js";
import { time } from "./xeps/0202-time.js";
import { mam } from "./xeps/0313-mam/mam.js";
import { limits } from "./xeps/0478-limits.js";
import { forgedCarbons } from "./xeps/forged-carbons.js";
import { session } from "./xeps/session.js";

/** Makes the features. None of them touches the context before the server runs. */
export function features(context: Context): readonly Feature[] {
  return [
    rosterFeature(context),
    presenceFeature(context), // what follows in `after` sees the presence it has set
    forgedCarbons,
    stableIds,
    offline(context), // refuses what there is no room for before it is kept
    keeping(context),
    mam(context),
    lastActivity(context),
    disco(context),
    caps(context),
    contact(context),
    registration(context),
    vcard(context),
    privateXml(context),
    version(context),
    time(context),
    streamManagement(context),
    ping,
    session,
    limits(context),
    muc(context),
    listening(context),
  ];
}

/** The services on domains of their own. */
export function services(context: Context): readonly Service[] {
  return mucServices(context);
}

/** Settings may be looked at, and mean nothing; nothing can be done before there is a server. */
const NO_CONTEXT = new Proxy((): never => unreachable(), {
  get: () => NO_CONTEXT,
  apply: () => unreachable(),
}) as unknown as Context;

function unreachable(): never {
  throw new Error("a feature acted before there was a server");
}

/** What the features say of themselves, without a server: for the store, the configuration and doap.xml. */
export const MANIFESTS: readonly Feature[] = features(NO_CONTEXT);

const OWN_STORES = MANIFESTS.flatMap((feature) => feature.stores ?? []);

/** All stores of the server. */
export const STORES: readonly FeatureStore[] = [
  { name: ACCOUNT_STORE, lookups: ["kind"], data: "account" },
  { name: "server", data: "nobody" },
  SESSION_STORE,
  ...OWN_STORES,
];

/** The stores that are loaded with an account. */
export const ACCOUNT_STORES: readonly string[] = [
  ACCOUNT_STORE,
  ...OWN_STORES.filter((store) => store.withAccount).map((store) => store.name),
];

/** The sections of the configuration that features bring. */
export const SECTIONS: readonly ConfigSection[] = [contactSection, streamManagementSection];
