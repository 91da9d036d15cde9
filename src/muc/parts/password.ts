// XEP-0045 "Password-Protected Rooms": nobody enters without the room's password.
import { StanzaError } from "../../stanza/errors.js";
import { unacceptable } from "../../stanza/forms.js";
import { NS } from "../../xml/namespaces.js";
import { flag, flagField, type RoomConfig, text, textField } from "../config.js";
import type { Part } from "../part.js";

const MOST_PASSWORD = 256; // characters: it is typed by people
const SECRET_FIELD = "muc#roomconfig_roomsecret";

export const isProtected = flag("passwordProtected", false);
const secret = text("password");

export const password: Part = {
  name: "password",
  fields: [
    flagField(isProtected, "muc#roomconfig_passwordprotectedroom", "A password is needed to enter"),
    textField(secret, SECRET_FIELD, "Password", MOST_PASSWORD, "text-private"),
  ],
  fault: (config) =>
    isProtected.of(config) && secret.of(config) === "" ? unacceptable(SECRET_FIELD, "may not be empty") : undefined,
  features: ({ config }) => [isProtected.of(config) ? "muc_passwordprotected" : "muc_unsecured"],
  enter: ({ state: { config } }, { x, hasToken }) => {
    const needed = passwordOf(config);
    if (needed === undefined || hasToken || x.getChildText("password", NS.muc) === needed) return undefined;
    return new StanzaError("not-authorized");
  },
  // A query has no password: who is in has shown it, and owners can look it up.
  read: ({ config }, { affiliation, isInside }) =>
    !isProtected.of(config) || isInside || affiliation === "owner" ? undefined : new StanzaError("forbidden"),
};

/** What is needed to enter, if anything is. */
export function passwordOf(config: RoomConfig): string | undefined {
  return isProtected.of(config) ? secret.of(config) : undefined;
}
