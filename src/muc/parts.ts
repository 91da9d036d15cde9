// The parts of a room, in order: of the form, of the rules when somebody enters or speaks, and of what whoever enters is told.
import { commands } from "./commands.js";
import { admin } from "./admin.js";
import { configuring } from "./configuring.js";
import { discovery } from "./discovery.js";
import type { Part } from "./part.js";
import { archive } from "./parts/archive.js";
import { activityIndicators } from "./parts/activity-indicators.js";
import { avatar } from "./parts/avatar.js";
import { hats } from "./parts/hats.js";
import { invitations } from "./parts/invitations.js";
import { listing } from "./parts/listing.js";
import { logging } from "./parts/logging.js";
import { maximum } from "./parts/max-users.js";
import { memberList } from "./parts/member-list.js";
import { membersOnly } from "./parts/members-only.js";
import { messageModeration } from "./parts/message-moderation.js";
import { mentions } from "./parts/mentions.js";
import { messageActivity } from "./parts/message-activity.js";
import { moderation } from "./parts/moderation.js";
import { naming } from "./parts/naming.js";
import { occupantId } from "./parts/occupant-id.js";
import { password } from "./parts/password.js";
import { past } from "./parts/past.js";
import { persistence } from "./parts/persistence.js";
import { presenceBroadcast } from "./parts/presence-broadcast.js";
import { privateMessages } from "./parts/private-messages.js";
import { retraction } from "./parts/retraction.js";
import { references } from "./parts/references.js";
import { slowMode } from "./parts/slow-mode.js";
import { registration } from "./parts/registration.js";
import { subject } from "./parts/subject.js";
import { tokens } from "./parts/tokens.js";
import { versions } from "./parts/versions.js";
import { voiceRequests } from "./parts/voice-requests.js";
import { whoisPart } from "./parts/whois.js";
import { questions } from "./questions.js";

export const PARTS: readonly Part[] = [
  discovery,
  configuring,
  commands,
  admin,
  naming,
  references,
  listing,
  persistence,
  tokens, // an expired one is told from none
  membersOnly, // who is banned is told so, whatever else is missing
  invitations,
  registration,
  password,
  maximum,
  moderation,
  slowMode,
  voiceRequests,
  whoisPart,
  memberList,
  versions,
  presenceBroadcast,
  privateMessages,
  occupantId,
  questions,
  logging,
  archive,
  messageModeration,
  retraction, // sees no message that claims to be the room's
  avatar,
  hats,
  past,
  mentions,
  messageActivity,
  activityIndicators,
  subject, // the last that whoever enters is told
];
