// XEP-0317 "Hats": marks that occupants carry in the presence the room sends of them, and only there. Admins and owners make them, give them
// and take them by commands (hats-commands.ts).
import { createHash } from "node:crypto";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import type { Part } from "../part.js";
import type { RoomState } from "../state.js";
import { hatCommands } from "./hats-commands.js";

export const hats: Part = {
  name: "hats",
  features: () => [NS.hats],
  info: ({ hats: all }) =>
    all.size === 0 ? [] : [{ var: "hats#hash", type: "text-single", label: "Hats hash", values: [hashOf(all)] }],
  mark: ({ hats: all, wearers }, { account }) => {
    const worn = wearers.get(account.toString()) ?? [];
    return worn.length === 0 ? [] : [xml("hats", { xmlns: NS.hats }, ...worn.flatMap((uri) => hatOf(all, uri)))];
  },
  commands: hatCommands,
};

function hatOf(all: RoomState["hats"], uri: string): readonly Element[] {
  const hat = all.get(uri);
  return hat ? [xml("hat", { title: hat.title, uri, hue: hat.hue })] : [];
}

/** Changes with all that the list of hats says. */
function hashOf(all: RoomState["hats"]): string {
  const lines = [...all].map(([uri, { title, hue = "" }]) => JSON.stringify([uri, title, hue]));
  return createHash("sha1").update(lines.sort().join("\n")).digest("hex");
}
