// XEP-0050 in rooms: the commands of the parts, found by disco and run by those who may.
import { type Command, execute, NS_COMMANDS } from "../xeps/0050-commands.api.js";
import type { Part } from "./part.js";
import type { Turn } from "./turn.js";

export const commands: Part = {
  name: "commands",
  features: () => [NS_COMMANDS],
  iq: {
    "set http://jabber.org/protocol/commands command": (turn, request) =>
      execute(commandsOf(turn), turn, request, turn.stanza.id ?? ""),
  },
};

export function commandsOf({ parts }: Pick<Turn, "parts">): readonly Command<Turn>[] {
  return parts.flatMap((part) => part.commands ?? []);
}
