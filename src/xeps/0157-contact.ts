// XEP-0157: whom to write to about this server, from the section [contact] of the configuration, as a form in its disco#info.
import { z } from "zod";
import { section, sectionOf } from "../core/config.js";
import { kind, setting } from "../core/config/values.js";
import type { Context } from "../core/context.js";
import type { Feature } from "../core/feature.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

const uris = kind(
  'a list of addresses like ["mailto:abuse@chat.example", "xmpp:admin@chat.example"]',
  z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/)).readonly() as z.ZodType<readonly string[]>,
);

/** The section [contact]; each key becomes the field KEY-addresses. */
export const contactSection = section("contact", "Whom to write to about this server (XEP-0157).", {
  abuse: setting(uris, [], "For reports of abuse."),
  admin: setting(uris, [], "Those who run the server."),
  feedback: setting(uris, [], "For comments of users."),
  sales: setting(uris, [], "For sales and marketing."),
  security: setting(uris, [], "For security concerns."),
  status: setting(uris, [], "Where the state of the service is shown."),
  support: setting(uris, [], "For users who need help."),
});

export function contact(context: Pick<Context, "config">): Feature {
  return {
    name: "contact",
    specs: [{ xep: 157, version: "1.1.1", status: "complete", since: "0.1.0" }],
    config: contactSection.schema,
    disco: { serverForms: () => serverForms(sectionOf(context.config, contactSection)) },
  };
}

function serverForms(addresses: Readonly<Record<string, readonly string[]>>): readonly Element[] {
  const given = Object.entries(addresses).filter(([, values]) => values.length > 0);
  if (given.length === 0) return [];
  const type = xml("field", { var: "FORM_TYPE", type: "hidden" }, xml("value", {}, NS.addresses));
  const fields = given.map(([name, values]) =>
    xml("field", { var: `${name}-addresses`, type: "list-multi" }, ...values.map((value) => xml("value", {}, value))),
  );
  return [xml("x", { xmlns: NS.dataForms, type: "result" }, type, ...fields)];
}
