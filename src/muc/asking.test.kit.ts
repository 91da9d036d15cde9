// What tests ask a room or its service, and how they read the answer.
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { conditionOf } from "../xeps/world.test.kit.js";
import { ROOM, type Witch } from "./coven.test.kit.js";

/** What a request is answered with; everything heard before is forgotten. */
export async function asked(witch: Witch, type: "get" | "set", payload: string, to = ROOM): Promise<Element> {
  witch.forget();
  await witch.sends(`<iq type='${type}' id='asked' to='${to}'>${payload}</iq>`);
  const answer = witch.device.received.find(({ kind }) => kind === "iq");
  if (!answer) throw new Error(`no answer to ${payload}`);
  return answer.element;
}

/** The condition of the error that a request is answered with; "" if it is done. */
export async function refusal(witch: Witch, type: "get" | "set", payload: string, to = ROOM): Promise<string> {
  return conditionOf(await asked(witch, type, payload, to));
}

export interface RoomInfo {
  readonly features: readonly string[];
  /** The fields of its form, with their values. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

/** What disco#info says. */
export async function infoOf(witch: Witch, to = ROOM): Promise<RoomInfo> {
  const query = (await asked(witch, "get", `<query xmlns='${NS.discoInfo}'/>`, to)).getChild("query");
  const features = query?.getChildren("feature").map(({ attrs }) => String(attrs["var"])) ?? [];
  return { features, fields: fieldsIn(query?.getChild("x", NS.dataForms)) };
}

/** The fields of the form in which the room is configured. */
export async function configurationOf(owner: Witch): Promise<RoomInfo["fields"]> {
  const query = (await asked(owner, "get", `<query xmlns='${NS.mucOwner}'/>`)).getChild("query");
  return fieldsIn(query?.getChild("x", NS.dataForms));
}

export function fieldsIn(form: Element | undefined): RoomInfo["fields"] {
  const fields = form?.getChildren("field") ?? [];
  return Object.fromEntries(
    fields.map((field) => [String(field.attrs["var"]), field.getChildren("value").map((value) => value.text())]),
  );
}
