import { describe, expect, it } from "@jest/globals";
import { parseElement } from "../xml/document.js";
import { UNLIMITED } from "../xml/limits.js";
import { toWire } from "../xml/wire.js";
import { worthOf } from "./content.js";
import { Stanza } from "./stanza.js";

const BODY = "<body>hi</body>";
const COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
const MUC = "xmlns='http://jabber.org/protocol/muc#user'";
const hint = (name: string) => `<${name} xmlns='urn:xmpp:hints'/>`;

describe("what a message is worth keeping", () => {
  it.each([
    ["a chat", "chat", BODY, "keep"],
    ["a normal message", undefined, BODY, "keep"],
    ["an unknown type, which is normal", "shout", BODY, "keep"],
    ["a subject alone", "normal", "<subject>hi</subject>", "keep"],
    ["an encrypted one", "chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>", "keep"],
    ["a receipt", "chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", "keep"],
    ["a marker", "chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "keep"],
    ["a retraction", "chat", "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>", "keep"],
    ["a correction", "chat", `${BODY}<replace xmlns='urn:xmpp:message-correct:0' id='1'/>`, "keep"],
    ["a reaction", "chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", "keep"],
    ["the beginning of a call", "chat", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>", "keep"],
    ["an invitation", "normal", "<x xmlns='jabber:x:conference' jid='r@a'/>", "keep"],
    ["an invitation of a room", undefined, `<x ${MUC}><invite from='a@b'/></x>`, "keep"],
    ["what a room says of an affiliation", undefined, `<x ${MUC}><item affiliation='member' jid='a@b'/></x>`, "none"],
    ["a chat state to an occupant", "chat", `${COMPOSING}<x ${MUC}/>`, "none"],
    ["a body to an occupant", "chat", `${BODY}<x ${MUC}/>`, "keep"],
    ["a headline with store", "headline", BODY + hint("store"), "none"],
    [
      "a chat state that asks for a receipt and a marker, and not for carbons",
      "chat",
      `${COMPOSING}<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/><private xmlns='urn:xmpp:carbons:2'/>`,
      "none",
    ],
    [
      "a chat state with the id of an occupant",
      "chat",
      `${COMPOSING}<occupant-id xmlns='urn:xmpp:occupant-id:0' id='1'/>`,
      "none",
    ],
    ["a body with a chat state", "chat", BODY + COMPOSING, "keep"],
    ["a chat state alone", "chat", COMPOSING, "none"],
    [
      "a chat state in a thread, with ids",
      "chat",
      `${COMPOSING}<thread>t</thread><origin-id xmlns='urn:xmpp:sid:0' id='1'/>`,
      "none",
    ],
    ["an empty one", "chat", "", "none"],
    ["a headline", "headline", BODY, "none"],
    ["a groupchat", "groupchat", BODY, "none"],
    ["an error, whatever its hints", "error", BODY + hint("store"), "none"],
    ["no-store", "chat", BODY + hint("no-store"), "none"],
    ["no-store and store", "chat", BODY + hint("no-store") + hint("store"), "none"],
    ["a chat state with store", "chat", COMPOSING + hint("store"), "keep"],
    ["no-permanent-store", "chat", BODY + hint("no-permanent-store"), "hidden"],
  ] as const)("%s @1.7", (_, type, content, worth) => {
    const text = `<message xmlns='jabber:client'${type ? ` type='${type}'` : ""}>${content}</message>`;
    expect(worthOf(Stanza.of(parseElement(toWire(text), UNLIMITED), {}))).toBe(worth);
  });
});
