// XEP-0045 "Discussion History" (muc#maxhistoryfetch): whoever enters is sent some of what was said, after their own presence.
import { unacceptable } from "../../stanza/forms.js";
import { NS } from "../../xml/namespaces.js";
import { count } from "../config.js";
import { historyFor, historyRequestOf } from "../history.js";
import type { Part } from "../part.js";

const FIELD = "muc#maxhistoryfetch";
const INITIAL = 20; // about a screen

const maxHistory = count("maxHistory", INITIAL);

export const past: Part = {
  name: "past",
  fields: [
    {
      field: (config) => ({
        var: FIELD,
        type: "text-single",
        label: "Most messages sent to whoever enters",
        values: [String(maxHistory.of(config))],
      }),
      fill: (config, form) => {
        const value = form.text(FIELD);
        if (value === undefined) return config;
        if (!/^\d{1,4}$/.test(value)) throw unacceptable(FIELD, "is no number up to 9999");
        return maxHistory.set(config, Number(value));
      },
    },
  ],
  info: ({ config }) => [
    { var: FIELD, type: "text-single", label: "Most messages sent", values: [String(maxHistory.of(config))] },
  ],
  welcome: (turn, _, to) => {
    const { state, stanza, jid, context } = turn;
    const x = stanza.child("x", NS.muc);
    if (!x) return;
    const request = historyRequestOf(x, maxHistory.of(state.config), context.clock.now());
    turn.send(() => historyFor(state.history, jid, to, request));
  },
};
