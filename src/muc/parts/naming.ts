// What a room is called and about: name, description, language. The name is shown in service discovery.
import { shown, text, textField } from "../config.js";
import type { Part } from "../part.js";

const MOST_NAME = 256; // characters: a line in every list of rooms
const MOST_DESCRIPTION = 2048;
const MOST_LANGUAGE = 35; // RFC 5646 §4.4.1

export const roomName = text("name");
export const description = text("description");
export const language = text("language");

const nameField = textField(roomName, "muc#roomconfig_roomname", "Name", MOST_NAME);

export const naming: Part = {
  name: "naming",
  fields: [
    nameField,
    textField(description, "muc#roomconfig_roomdesc", "Description", MOST_DESCRIPTION),
    textField(language, "muc#roomconfig_lang", "Language of the discussion", MOST_LANGUAGE),
  ],
  info: ({ config }) => [
    shown(nameField, config), // COMPAT: Conversations tells a name that was given from the room's address by it
    {
      var: "muc#roominfo_description",
      type: "text-single",
      label: "Description",
      values: [description.of(config)],
    },
    { var: "muc#roominfo_lang", type: "text-single", label: "Language", values: [language.of(config)] },
  ],
};
