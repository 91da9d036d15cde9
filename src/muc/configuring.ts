// XEP-0045 "Creating an Instant Room", "Creating a Reserved Room", "Subsequent Room Configuration", "Destroying a Room": what owners ask of
// muc#owner. The form is made of the parts' fields.
import { isDeepStrictEqual } from "node:util";
import type { Answer } from "../core/feature.js";
import { attempt } from "../stanza/attempt.js";
import { StanzaError } from "../stanza/errors.js";
import { form, Submission } from "../stanza/forms.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { actor } from "./acting.js";
import { affiliate, type AffiliationChange, denial } from "./affiliating.js";
import { announce, CONFIGURATION_CHANGED } from "./announcing.js";
import type { RoomConfig } from "./config.js";
import { putListing, putRoom } from "./documents.js";
import { destroy, venueIn } from "./leaving.js";
import { listingOf } from "./listings.js";
import type { Part } from "./part.js";
import { isLogged } from "./parts/logging.js";
import { peopleChanges, peopleFields } from "./parts/people.js";
import { whois } from "./parts/whois.js";
import type { RoomState } from "./state.js";
import type { Turn } from "./turn.js";

export const configuring: Part = {
  name: "configuring",
  iq: {
    "get http://jabber.org/protocol/muc#owner query": show,
    "set http://jabber.org/protocol/muc#owner query": change,
  },
};

const FORBIDDEN = new StanzaError("forbidden");

/** What a filled-in form makes of the room. */
interface Configured {
  readonly config: RoomConfig;
  readonly people: readonly AffiliationChange[];
}

function show(turn: Turn): Answer {
  if (turn.affiliation !== "owner") return FORBIDDEN;
  const { state } = turn;
  const settings = turn.parts.flatMap((part) => part.fields ?? []).map((field) => field.field(state.config));
  const fields = [...settings, ...peopleFields(state)];
  const title = `Configuration of ${turn.jid.toString()}`;
  return [xml("query", { xmlns: NS.mucOwner }, form("form", NS.mucRoomConfig, fields, { title }))];
}

function change(turn: Turn, query: Element): Answer | void {
  if (turn.affiliation !== "owner") return FORBIDDEN;
  const destroyed = query.getChild("destroy", NS.mucOwner);
  if (destroyed) return ended(turn, destroyed);
  const x = query.getChild("x", NS.dataForms);
  if (x?.attrs["type"] === "cancel") return turn.state.isLocked ? ended(turn, undefined) : [];
  if (x?.attrs["type"] !== "submit") return new StanzaError("bad-request");
  const next = attempt(() => configured(turn, query, x));
  return next instanceof StanzaError ? next : settled(turn, next);
}

function ended(turn: Turn, request: Element | undefined): Answer {
  const venue = attempt(() => venueIn(request));
  if (venue instanceof StanzaError) return venue;
  destroy(turn, venue);
  return [];
}

/** An empty form leaves everything as it is. Throws StanzaError for what cannot be. */
function configured(turn: Turn, query: Element, x: Element): Configured {
  const { parts, state } = turn;
  const { config } = state;
  if (x.getChildElements().length === 0) return { config, people: [] };
  const filled = Submission.of(query, NS.mucRoomConfig);
  if (!filled) return { config, people: [] };
  const next = parts.flatMap((part) => part.fields ?? []).reduce((before, field) => field.fill(before, filled), config);
  const people = peopleChanges(state, filled);
  const faults = [...parts.map((part) => part.fault?.(next)), people.length > 0 ? denial(turn, people) : undefined];
  const [fault] = faults.flatMap((one) => one ?? []);
  if (fault) throw fault;
  return { config: next, people };
}

/** The room is so from here on, and open. */
function settled(turn: Turn, { config, people }: Configured): Answer {
  const before = turn.state;
  const after: RoomState = { ...before, config, isLocked: false };
  turn.change(after, putRoom(turn.jid, after), putListing(turn.jid, listingOf(config)));
  affiliate(turn, people, actor(turn), before);
  if (!before.isLocked && !isDeepStrictEqual(config, before.config)) notify(turn, before.config, config);
  return [];
}

/** "Notification of Configuration Changes" */
function notify(turn: Turn, before: RoomConfig, after: RoomConfig): void {
  const codes: number[] = [];
  if (isLogged.of(before) !== isLogged.of(after)) codes.push(isLogged.of(after) ? 170 : 171);
  if (whois.of(before) !== whois.of(after)) codes.push(whois.of(after) === "anyone" ? 172 : 173);
  if (codes.length === 0) codes.push(CONFIGURATION_CHANGED);
  announce(turn, codes);
}
