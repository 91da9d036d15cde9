import { describe, expect, it } from "@jest/globals";
import { parseElement } from "../xml/document.js";
import { UNLIMITED } from "../xml/limits.js";
import { toWire } from "../xml/wire.js";
import { forwarded } from "./forward.js";
import { Stanza } from "./stanza.js";

describe("a forwarded stanza", () => {
  it("keeps its namespace and content, and says when it was received @2.2", () => {
    const text = "<message xmlns='jabber:client' from='a@b/c' type='chat'><body>grüße</body><x xmlns='u:x'/></message>";
    const stanza = Stanza.of(parseElement(toWire(text), UNLIMITED), {});
    const inner = toWire(text);
    expect(forwarded(stanza, Date.UTC(2010, 6, 10, 23, 8, 25))).toBe(
      `<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25.000Z'/>${inner}</forwarded>`,
    );
    expect(forwarded(stanza)).toBe(`<forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded>`);
  });
});
