// XEP-0045 "Room Subject", "Modifying the Room Subject" (muc#roomconfig_changesubject): it is changed by a message with a subject and nothing
// else to read, kept, and told to whoever enters, last. Who may not enter does not find it by disco#info either ("Information Leaks").
import { message } from "../../stanza/build.js";
import { delay } from "../../stanza/delay.js";
import { StanzaError } from "../../stanza/errors.js";
import type { Field } from "../../stanza/forms.js";
import type { JID } from "../../stanza/jid.js";
import type { Stanza } from "../../stanza/stanza.js";
import { xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { flag, flagField, shown } from "../config.js";
import { putSubject } from "../documents.js";
import type { Part } from "../part.js";
import type { Subject } from "../state.js";

const mayChange = flag("changeSubject", false);
const mayChangeField = flagField(mayChange, "muc#roomconfig_changesubject", "Participants may change the subject");

export const subject: Part = {
  name: "subject",
  fields: [mayChangeField],
  info: ({ config, subject: current }, _, isReader) => [
    shown(mayChangeField, config), // COMPAT: Conversations looks for this name
    ...(isReader ? [subjectField(current)] : []),
    {
      var: "muc#roominfo_subjectmod",
      type: "boolean",
      label: "Participants may change the subject",
      values: [mayChange.of(config) ? "1" : "0"],
    },
  ],
  speak: ({ stanza, state, context }, { role }) => {
    if (!isChange(stanza)) return undefined;
    if (role !== "moderator" && !mayChange.of(state.config)) return new StanzaError("forbidden");
    const isLong = stanza.size > context.config.limits.subject_bytes;
    return isLong ? new StanzaError("policy-violation", "modify", "the subject is too long") : undefined;
  },
  heard: (turn, said) => {
    if (!isChange(said)) return;
    const changed: Subject = { message: said, at: turn.context.clock.now() };
    turn.change({ ...turn.state, subject: changed }, putSubject(turn.jid, changed));
  },
  welcome: (turn, _, to) => turn.send(current(turn.state.subject, turn.jid, to)),
};

function subjectField(known: Subject | undefined): Field {
  const text = known?.message.child("subject", NS.client)?.text() ?? "";
  return { var: "muc#roominfo_subject", type: "text-single", label: "Subject", values: [text] };
}

function isChange(said: Stanza): boolean {
  return said.has("subject", NS.client) && !said.has("body", NS.client) && !said.has("thread", NS.client);
}

function current(known: Subject | undefined, room: JID, to: JID): Stanza {
  if (!known) return message({ from: room, to, type: "groupchat" }, xml("subject"));
  return known.message.plus(delay(room, known.at)).readdress(known.message.from, to);
}
