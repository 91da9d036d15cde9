// XEP-0500 "MUC Slow Mode": each account waits between two messages to all; the room's owners and admins do not.
import { StanzaError } from "../../stanza/errors.js";
import { unacceptable } from "../../stanza/forms.js";
import { xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { count } from "../config.js";
import type { Part } from "../part.js";
import { isExemptFromSlowMode } from "../privileges.js";
import type { RoomState } from "../state.js";

const FIELD = "muc#roomconfig_slow_mode_duration";
const LONGEST = 86_400; // seconds: a message a day
const VALIDATE = "http://jabber.org/protocol/xdata-validate";
const MOST_SPEAKERS = 10_000; // accounts that have to wait at once in one room; of more the earliest need not

/** In seconds; 0: off. */
const duration = count("slowMode", 0);

const range = xml(
  "validate",
  { xmlns: VALIDATE, datatype: "xs:integer" },
  xml("range", { min: "0", max: String(LONGEST) }),
);

export const slowMode: Part = {
  name: "slow-mode",
  fields: [
    {
      field: (config) => ({
        var: FIELD,
        type: "text-single",
        label: "Slow mode: seconds between two messages of somebody",
        values: [String(duration.of(config))],
        extra: [range],
      }),
      fill: (config, form) => {
        const value = form.text(FIELD);
        if (value === undefined) return config;
        if (!/^\d{1,9}$/.test(value) || Number(value) > LONGEST)
          throw unacceptable(FIELD, `is no number of seconds up to ${LONGEST}`);
        return duration.set(config, Number(value));
      },
    },
  ],
  info: ({ config }) => [
    {
      var: "muc#roominfo_slow_mode_duration",
      type: "text-single",
      label: "Seconds between two messages of somebody",
      values: [String(duration.of(config))],
    },
  ],
  speak: ({ affiliation, state, stanza, context }, { account }) => {
    const seconds = duration.of(state.config);
    if (seconds === 0 || isExemptFromSlowMode(affiliation) || !stanza.has("body", NS.client)) return undefined;
    const last = state.spoken.get(account.toString()) ?? -Infinity;
    const left = Math.ceil((last + seconds * 1000 - context.clock.now()) / 1000);
    return left > 0 ? tooSoon(seconds, left) : undefined;
  },
  heard: (turn, message, { account }) => {
    const seconds = duration.of(turn.state.config);
    if (seconds === 0 || isExemptFromSlowMode(turn.affiliation) || !message.has("body", NS.client)) return;
    const now = turn.context.clock.now();
    turn.change({ ...turn.state, spoken: spokenBy(turn.state, account.toString(), now, now - seconds * 1000) });
  },
};

function tooSoon(seconds: number, left: number): StanzaError {
  const text = `Slow mode: there are ${seconds} seconds between two messages. Please wait ${left} more.`;
  return new StanzaError("policy-violation", "wait", text);
}

/** Who has spoken at the latest then, the earliest first; with this one as the last. */
function spokenBy({ spoken }: RoomState, account: string, now: number, earliest: number): RoomState["spoken"] {
  const recent = [...spoken].filter(([who, at]) => at > earliest && who !== account);
  return new Map([...recent.slice(1 - MOST_SPEAKERS), [account, now]]);
}
