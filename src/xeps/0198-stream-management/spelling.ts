// The elements of XEP-0198 that the core has sent while a session lasts.
import type { Spelling } from "../../core/management.js";
import { StreamError } from "../../stanza/errors.js";
import { xml } from "../../xml/element.js";
import { escapeAttribute } from "../../xml/escape.js";
import { NS } from "../../xml/namespaces.js";
import { toWire, w } from "../../xml/wire.js";

const XMLNS = toWire(NS.streamManagement);

export const spelling: Spelling = {
  request: w`<r xmlns='${XMLNS}'/>`,
  answer: (handled) => w`<a xmlns='${XMLNS}' h='${toWire(String(handled))}'/>`,
  resumed: (token, handled) =>
    w`<resumed xmlns='${XMLNS}' previd='${escapeAttribute(token)}' h='${toWire(String(handled))}'/>`,
  tooHigh: (h, sent) =>
    new StreamError(
      "undefined-condition",
      `You acknowledged ${h} stanzas, but I only sent you ${sent} so far.`,
      xml("handled-count-too-high", { xmlns: NS.streamManagement, h: String(h), "send-count": String(sent) }),
    ),
};
