// The changes of state that the load makes, and how they are read back: contacts, subscriptions, private XML, the vCard, new accounts.
import { child, elements, textOf, type Tree } from "../runner/xml.js";
import type { Client } from "./client.js";
import type { Ledger } from "./ledger.js";
import type { Dice } from "./random.js";

const CONTACTS = 5;
const NOTES = 3;

/** Makes one change; the number makes its value a new one. */
export function changeSomething(client: Client, ledger: Ledger, dice: Dice, number: number): void {
  const value = `value ${number}`;
  const note = (what: string, now = value) => ledger.change(client.bare, what, now);
  const contact = `contact${dice.below(CONTACTS)}@elsewhere.example`;
  switch (dice.below(4)) {
    case 0: {
      const set = `<query xmlns='jabber:iq:roster'><item jid='${contact}' name='${value}'/></query>`;
      return client.change(note(`roster:${contact}`), (id) => iqSet(id, set));
    }
    case 1: {
      const set = `<query xmlns='jabber:iq:roster'><item jid='${contact}' subscription='remove'/></query>`;
      return client.change(note(`roster:${contact}`, ""), (id) => iqSet(id, set));
    }
    case 2: {
      const name = `note${dice.below(NOTES)}`;
      const set = `<query xmlns='jabber:iq:private'><${name} xmlns='crash:${name}'>${value}</${name}></query>`;
      return client.change(note(`private:${name}`), (id) => iqSet(id, set));
    }
    default: {
      const set = `<vCard xmlns='vcard-temp'><FN>${value}</FN></vCard>`;
      return client.change(note("vcard"), (id) => iqSet(id, set));
    }
  }
}

/** Asks for somebody's presence: a contact with a request that is not answered yet. */
export function subscribe(client: Client, ledger: Ledger, to: string): void {
  client.change(
    ledger.change(client.bare, `subscription:${to}`, "asked"),
    (id) => `<presence to='${to}' type='subscribe' id='${id}'/>`,
  );
}

/** Reads everything back that the account has ever changed. */
export async function readBack(client: Client, ledger: Ledger): Promise<void> {
  const mine = ledger.changed().filter(({ account }) => account === client.bare);
  if (mine.length === 0) return;
  const roster = await client.ask((id) => iqGet(id, "<query xmlns='jabber:iq:roster'/>"));
  const items = roster === undefined ? [] : elements(child(roster, "query") ?? roster);
  const vcard = await client.ask((id) => iqGet(id, "<vCard xmlns='vcard-temp'/>"));
  for (const { what } of mine) {
    const [kind = "", name = ""] = what.split(/:(.*)/);
    const value = await valueOf(client, kind, name, items, vcard);
    if (value === undefined) ledger.problem(`${client.bare}: ${what} could not be read`);
    else ledger.observed(client.bare, what, value);
  }
}

async function valueOf(
  client: Client,
  kind: string,
  name: string,
  items: readonly Tree[],
  vcard: Tree | undefined,
): Promise<string | undefined> {
  const item = items.find(({ attributes }) => attributes.get("jid") === name)?.attributes;
  switch (kind) {
    case "roster":
      return item?.get("name") ?? "";
    case "subscription":
      return item?.get("ask") === "subscribe" ? "asked" : "";
    case "vcard":
      return vcard && fullName(vcard);
    case "private":
      return privateValue(client, name);
    default:
      return undefined;
  }
}

async function privateValue(client: Client, name: string): Promise<string | undefined> {
  const query = `<query xmlns='jabber:iq:private'><${name} xmlns='crash:${name}'/></query>`;
  const answer = await client.ask((id) => iqGet(id, query));
  const held = answer && child(answer, "query");
  return held && textOf(child(held, name) ?? held);
}

function fullName(answer: Tree): string {
  const card = child(answer, "vCard");
  const name = card && child(card, "FN");
  return name ? textOf(name) : "";
}

function iqSet(id: string, payload: string): string {
  return `<iq type='set' id='${id}'>${payload}</iq>`;
}

function iqGet(id: string, payload: string): string {
  return `<iq type='get' id='${id}'>${payload}</iq>`;
}
