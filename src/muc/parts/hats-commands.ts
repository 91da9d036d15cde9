// The commands of XEP-0317: making, changing and destroying hats, giving and taking them, and the lists of both.
import { StanzaError } from "../../stanza/errors.js";
import { type Field, form, type Submission, unacceptable } from "../../stanza/forms.js";
import type { Command, Step } from "../../xeps/0050-commands.api.js";
import { type Element, xml } from "../../xml/element.js";
import { announce, CONFIGURATION_CHANGED } from "../announcing.js";
import { putHat, putWearer } from "../documents.js";
import { showAll } from "../occupants.js";
import { mayEnter, mayManageHats } from "../privileges.js";
import { type Hat, type RoomState, withEntry, withoutEntry } from "../state.js";
import type { Turn } from "../turn.js";
import { isMembersOnly } from "./members-only.js";

const FORM_TYPE = "urn:xmpp:hats:commands";
const URI = "hats#uri";
const TITLE = "hats#title";
const HUE = "hats#hue";
const WHO = "hats#jid";
const MOST_URI = 512; // characters
const MOST_TITLE = 128;
const ANGLE = /^\d{1,3}(\.\d{1,6})?$/;

const DONE: Step = {};
const NO_SUCH_HAT = new StanzaError("item-not-found", "cancel", "There is no such hat.");

function command(what: string, name: string, run: Command<Turn>["run"]): Command<Turn> {
  return {
    node: `${FORM_TYPE}:${what}`,
    name,
    formType: FORM_TYPE,
    may: ({ affiliation }) => mayManageHats(affiliation),
    run,
  };
}

export const hatCommands: readonly Command<Turn>[] = [
  command("create", "Create or change a hat", create),
  command("destroy", "Destroy a hat", destroy),
  { ...command("list", "List the hats", list), may: maySee },
  command("assign", "Give somebody a hat", assign),
  command("unassign", "Take a hat from somebody", unassign),
  command("list-assigned", "List who has which hat", listAssigned),
];

/** The hats can be seen on those who are in. */
function maySee({ affiliation, state }: Turn): boolean {
  return mayEnter(affiliation, { isMembersOnly: isMembersOnly.of(state.config) });
}

/** A hat that is there is changed: those who have it are shown anew. */
function create(turn: Turn, filled: Submission | undefined): Step {
  if (!filled)
    return { asks: form("form", FORM_TYPE, [TITLE_FIELD, URI_FIELD, HUE_FIELD], { title: "Creating a Hat" }) };
  const { state, context, jid } = turn;
  const uri = required(filled, URI, MOST_URI);
  const hue = filled.text(HUE);
  if (hue !== undefined && (!ANGLE.test(hue) || Number(hue) >= 360)) throw unacceptable(HUE, "is no angle");
  const hat: Hat = { title: required(filled, TITLE, MOST_TITLE), ...(hue !== undefined && { hue }) };
  if (!state.hats.has(uri) && state.hats.size >= context.config.limits.room_hats)
    return new StanzaError("resource-constraint", "cancel", "There are too many hats.");
  turn.change({ ...state, hats: withEntry(state.hats, uri, hat) }, putHat(jid, uri, hat));
  announce(turn, [CONFIGURATION_CHANGED]);
  showWearers(turn, (account) => hatsOf(turn.state, account).includes(uri));
  return DONE;
}

function destroy(turn: Turn, filled: Submission | undefined): Step {
  const { state, jid } = turn;
  if (!filled) return { asks: form("form", FORM_TYPE, [choiceOf(state)], { title: "Destroying a Hat" }) };
  const uri = required(filled, URI, MOST_URI);
  if (!state.hats.has(uri)) return NO_SUCH_HAT;
  const wearers = [...state.wearers].filter(([, hats]) => hats.includes(uri)).map(([account]) => account);
  turn.change({ ...state, hats: withoutEntry(state.hats, uri) }, putHat(jid, uri, undefined));
  for (const account of wearers) wear(turn, account, without(hatsOf(turn.state, account), uri));
  announce(turn, [CONFIGURATION_CHANGED]);
  showWearers(turn, (account) => wearers.includes(account));
  return DONE;
}

function assign(turn: Turn, filled: Submission | undefined): Step {
  const { state, context } = turn;
  if (!filled) return { asks: form("form", FORM_TYPE, [WHO_FIELD, choiceOf(state)], { title: "Assigning a Hat" }) };
  const { account, uri } = wearerIn(filled);
  if (!state.hats.has(uri)) return NO_SUCH_HAT;
  const before = hatsOf(state, account);
  if (before.includes(uri)) return DONE;
  if (before.length === 0 && state.wearers.size >= context.config.limits.room_hat_wearers)
    return new StanzaError("resource-constraint", "cancel", "Too many have hats.");
  wear(turn, account, [...before, uri]);
  showWearers(turn, (one) => one === account);
  return DONE;
}

function unassign(turn: Turn, filled: Submission | undefined): Step {
  const { state } = turn;
  if (!filled) return { asks: form("form", FORM_TYPE, [WHO_FIELD, choiceOf(state)], { title: "Removing a Hat" }) };
  const { account, uri } = wearerIn(filled);
  const before = hatsOf(state, account);
  if (!before.includes(uri)) return NO_SUCH_HAT;
  wear(turn, account, without(before, uri));
  showWearers(turn, (one) => one === account);
  return DONE;
}

function list({ state }: Turn): Step {
  const rows = [...state.hats].map(([uri, hat]) => rowOf(uri, hat));
  return { done: table("Hats List", [TITLE, URI, HUE], rows) };
}

function listAssigned({ state }: Turn): Step {
  const rows = [...state.wearers].flatMap(([account, hats]) =>
    hats.map((uri) => ({ [WHO]: account, ...rowOf(uri, state.hats.get(uri)) })),
  );
  return { done: table("Assigned Hats List", [WHO, URI, TITLE, HUE], rows) };
}

const URI_FIELD: Field = { var: URI, type: "text-single", label: "Hat URI", required: true };
const TITLE_FIELD: Field = { var: TITLE, type: "text-single", label: "Hat Title", required: true };
const HUE_FIELD: Field = { var: HUE, type: "text-single", label: "Hat Hue" };
const WHO_FIELD: Field = { var: WHO, type: "jid-single", label: "User Address", required: true };

function choiceOf({ hats }: RoomState): Field {
  const options = [...hats].map(([value, { title }]) => ({ value, label: title }));
  return { var: URI, type: "list-single", label: "The hat", required: true, options };
}

function required(filled: Submission, name: string, most: number): string {
  const value = filled.text(name);
  if (value === undefined || value.length > most) throw unacceptable(name, `needs a value of up to ${most} characters`);
  return value;
}

function wearerIn(filled: Submission): { readonly account: string; readonly uri: string } {
  const jid = filled.jid(WHO);
  if (!jid) throw unacceptable(WHO, "needs a value");
  return { account: jid.bare.toString(), uri: required(filled, URI, MOST_URI) };
}

function hatsOf({ wearers }: RoomState, account: string): readonly string[] {
  return wearers.get(account) ?? [];
}

function without(hats: readonly string[], uri: string): readonly string[] {
  return hats.filter((one) => one !== uri);
}

function wear(turn: Turn, account: string, hats: readonly string[]): void {
  const { wearers } = turn.state;
  const next = hats.length > 0 ? withEntry(wearers, account, hats) : withoutEntry(wearers, account);
  turn.change({ ...turn.state, wearers: next }, putWearer(turn.jid, account, hats));
}

/** Everybody is sent the presence of these, who are in, with the hats they have now. */
function showWearers(turn: Turn, isOne: (account: string) => boolean): void {
  for (const occupant of turn.state.occupants.values()) {
    const [seat] = occupant.seats;
    const affiliation = turn.affiliationOf(occupant.account);
    if (isOne(occupant.account.toString())) showAll(turn, { occupant, seat, affiliation });
  }
}

type Row = Readonly<Record<string, string | undefined>>;

function rowOf(uri: string, hat: Hat | undefined): Row {
  return { [TITLE]: hat?.title, [URI]: uri, [HUE]: hat?.hue };
}

/** XEP-0004 "Multiple Items in Form Results" */
function table(title: string, columns: readonly string[], rows: readonly Row[]): Element {
  const x = form("result", FORM_TYPE, [], { title });
  x.append(xml("reported", {}, ...columns.map((name) => xml("field", { var: name }))));
  for (const row of rows) {
    const filled = columns.flatMap((name) => {
      const value = row[name];
      return value === undefined ? [] : [xml("field", { var: name }, xml("value", {}, value))];
    });
    x.append(xml("item", {}, ...filled));
  }
  return x;
}
