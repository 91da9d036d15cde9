// XEP-0045 "Non-Anonymous Rooms", "Semi-Anonymous Rooms": who may know real JIDs (muc#roomconfig_whois).
import { choice, choiceField } from "../config.js";
import type { Part } from "../part.js";

export const whois = choice("whois", "moderators", ["moderators", "anyone"]);

export const whoisPart: Part = {
  name: "whois",
  fields: [
    choiceField(whois, "muc#roomconfig_whois", "Who may know the addresses of occupants", {
      moderators: "Moderators",
      anyone: "Anyone in the room",
    }),
  ],
  features: ({ config }) => [whois.of(config) === "anyone" ? "muc_nonanonymous" : "muc_semianonymous"],
  warn: ({ config }) => (whois.of(config) === "anyone" ? [100] : []),
};
