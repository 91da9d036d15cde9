// XEP-0050 "Ad-Hoc Commands", for whatever has some to offer. Nothing is remembered between the steps of a command: all that it needs is in the
// form that comes back, so that a session id carries no rights and none can be used up.
import type { Answer } from "../core/feature.js";
import { attempt } from "../stanza/attempt.js";
import { StanzaError } from "../stanza/errors.js";
import { Submission } from "../stanza/forms.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { infoQuery, itemsQuery } from "./0030-disco.api.js";

/** Also the node under which commands are listed. */
export const NS_COMMANDS = "http://jabber.org/protocol/commands";

/** What a step of a command comes to: a form to be filled in, or the end, with what there is to show. */
export type Step = { readonly asks: Element } | { readonly done?: Element } | StanzaError;

export interface Command<Caller> {
  readonly node: string;
  readonly name: string;
  /** The kind of its forms. */
  readonly formType: string;
  readonly may: (caller: Caller) => boolean;
  /** `filled`: nothing in the first step, unless the caller knows the form. */
  readonly run: (caller: Caller, filled: Submission | undefined) => Step;
}

/** Answers `<command/>`; `sessionId` is for a command that begins here. */
export function execute<Caller>(
  commands: readonly Command<Caller>[],
  caller: Caller,
  request: Element,
  sessionId: string,
): Answer {
  const { node, action = "execute", sessionid = sessionId } = request.attrs as Readonly<Record<string, string>>;
  const command = commands.find((one) => one.node === node);
  if (!command) return new StanzaError("item-not-found");
  if (!command.may(caller)) return new StanzaError("forbidden");
  const answer = (status: string, ...children: readonly Element[]): Answer => [
    xml("command", { xmlns: NS_COMMANDS, node, sessionid, status }, ...children),
  ];
  if (action === "cancel") return answer("canceled");
  if (!["execute", "next", "complete"].includes(action)) return wrong(action === "prev" ? "bad" : "malformed");
  const step = attempt(() => command.run(caller, Submission.of(request, command.formType)));
  if (step instanceof StanzaError) return step;
  if ("asks" in step) return answer("executing", COMPLETE, step.asks);
  return answer("completed", ...(step.done ? [step.done] : []));
}

/** All that can be done with a form. */
const COMPLETE = xml("actions", { execute: "complete" }, xml("complete"));

function wrong(what: "bad" | "malformed"): StanzaError {
  return new StanzaError("bad-request", "modify", undefined, xml(`${what}-action`, { xmlns: NS_COMMANDS }));
}

/** The items of the node of commands: those that the caller may run. */
export function commandItems<Caller>(commands: readonly Command<Caller>[], caller: Caller, jid: string): Element {
  const allowed = commands.filter(({ may }) => may(caller));
  const items = allowed.map(({ node, name }) => xml("item", { jid, node, name }));
  return itemsQuery(items, NS_COMMANDS);
}

/** disco#info of a command, or of the node of all of them; undefined if there is none of this name. */
export function commandInfo<Caller>(
  commands: readonly Command<Caller>[],
  caller: Caller,
  node: string,
): Element | undefined {
  const about = (type: string, name: string): Element =>
    infoQuery(
      { identities: [{ category: "automation", type, name }], features: [NS_COMMANDS, NS.dataForms], forms: [] },
      node,
    );
  if (node === NS_COMMANDS) return about("command-list", "Commands");
  const command = commands.find((one) => one.node === node && one.may(caller));
  return command && about("command-node", command.name);
}
