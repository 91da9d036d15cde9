// XEP-0045 "Max Users": a full room lets in only admins and owners, and those only up to a point.
import { StanzaError } from "../../stanza/errors.js";
import { unacceptable } from "../../stanza/forms.js";
import { count } from "../config.js";
import type { Part } from "../part.js";
import { type Affiliation, isAtLeast } from "../privileges.js";
import type { Turn } from "../turn.js";

const FIELD = "muc#roomconfig_maxusers";
const NO_LIMIT = "none";
const OFFERED = ["10", "20", "30", "50", "100", "500", NO_LIMIT];
const MORE_FOR_ADMINS = 10; // a few people who can set a stuffed room to rights

/** 0: only the limit of the service holds. */
const maxUsers = count("maxUsers", 0);

export const maximum: Part = {
  name: "max-users",
  fields: [
    {
      field: (config) => ({
        var: FIELD,
        type: "list-single",
        label: "Most occupants",
        values: [String(maxUsers.of(config) || NO_LIMIT)],
        options: OFFERED.map((value) => ({ value })),
      }),
      fill: (config, form) => {
        const value = form.text(FIELD);
        if (value === undefined) return config;
        if (value !== NO_LIMIT && !/^\d{1,6}$/.test(value)) throw unacceptable(FIELD, "is no number");
        return maxUsers.set(config, value === NO_LIMIT ? 0 : Number(value));
      },
    },
  ],
  info: ({ occupants }) => [
    {
      var: "muc#roominfo_occupants",
      type: "text-single",
      label: "Number of occupants",
      values: [String(occupants.size)],
    },
  ],
  enter: (turn, { nick, affiliation }) => full(turn, nick, affiliation),
};

/** Why there is no room for one more occupant. */
export function full(
  { state: { config, occupants }, context }: Turn,
  nick: string,
  affiliation: Affiliation,
): StanzaError | undefined {
  if (occupants.has(nick)) return undefined; // one more client of somebody who is in
  const most = Math.min(maxUsers.of(config) || Infinity, context.config.limits.room_occupants);
  const isFull = occupants.size >= most + (isAtLeast(affiliation, "admin") ? MORE_FOR_ADMINS : 0);
  return isFull ? new StanzaError("service-unavailable", "wait") : undefined;
}
