// What a room refers to elsewhere (XEP-0045 "muc#roominfo FORM_TYPE"): whom to ask about it, where its logs are shown, the node that goes with
// it. It is for owners to say: nobody's address is shown without that.
import type { Field } from "../../stanza/forms.js";
import { addressesField, linesOf, shown, text, textField } from "../config.js";
import type { Part } from "../part.js";

const MOST_CONTACTS = 10;
const MOST_ADDRESS = 2048; // characters of a URI

const contacts = text("contacts");
const logs = text("logs");
const nodeField = textField(text("pubsub"), "muc#roomconfig_pubsub", "Associated PubSub node (XMPP URI)", MOST_ADDRESS);

export const references: Part = {
  name: "references",
  fields: [
    addressesField(contacts, "muc#roomconfig_contactjid", "Addresses of contacts", MOST_CONTACTS),
    textField(logs, "muc#roomconfig_logs", "Where the logs are shown (URL)", MOST_ADDRESS),
    nodeField,
  ],
  info: ({ config }) => {
    const fields: readonly Field[] = [
      {
        var: "muc#roominfo_contactjid",
        type: "jid-multi",
        label: "Addresses of contacts",
        values: linesOf(contacts.of(config)),
      },
      { var: "muc#roominfo_logs", type: "text-single", label: "Logs", values: [logs.of(config)] },
      shown(nodeField, config),
    ];
    return fields.filter(({ values }) => values?.some((value) => value !== ""));
  },
};
