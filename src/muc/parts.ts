// The parts of a room, in order: of the form, of the rules when somebody enters or speaks, and of what whoever enters is told.
import { configuring } from "./configuring.js";
import { discovery } from "./discovery.js";
import type { Part } from "./part.js";
import { invitations } from "./parts/invitations.js";
import { listing } from "./parts/listing.js";
import { logging } from "./parts/logging.js";
import { maximum } from "./parts/max-users.js";
import { membersOnly } from "./parts/members-only.js";
import { moderation } from "./parts/moderation.js";
import { naming } from "./parts/naming.js";
import { occupantId } from "./parts/occupant-id.js";
import { password } from "./parts/password.js";
import { past } from "./parts/past.js";
import { persistence } from "./parts/persistence.js";
import { presenceBroadcast } from "./parts/presence-broadcast.js";
import { privateMessages } from "./parts/private-messages.js";
import { registration } from "./parts/registration.js";
import { subject } from "./parts/subject.js";
import { tokens } from "./parts/tokens.js";
import { whoisPart } from "./parts/whois.js";
import { questions } from "./questions.js";

export const PARTS: readonly Part[] = [
  discovery,
  configuring,
  naming,
  listing,
  persistence,
  tokens, // an expired one is told from none
  membersOnly, // who is banned is told so, whatever else is missing
  invitations,
  registration,
  password,
  maximum,
  moderation,
  whoisPart,
  presenceBroadcast,
  privateMessages,
  occupantId,
  questions,
  logging,
  past,
  subject, // the last that whoever enters is told
];
