import { describe, expect, it } from "@jest/globals";
import { parseElement } from "../xml/document.js";
import { UNLIMITED } from "../xml/limits.js";
import { toWire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";
import { verification } from "./0115-caps.api.js";

const FEATURES = ["muc", "disco#items", "caps", "disco#info"]
  .map((name) => `<feature var='http://jabber.org/protocol/${name}'/>`)
  .join("");
const FORM = `<x xmlns='jabber:x:data' type='result'>
  <field var='software_version'><value>0.11</value></field>
  <field var='software'><value>Psi</value></field>
  <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
  <field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>
  <field var='os'><value>Mac</value></field>
  <field var='os_version'><value>10.5.1</value></field>
</x>`;

function verOf(content: string): string {
  const text = `<query xmlns='http://jabber.org/protocol/disco#info'>${content}</query>`;
  return verification(elementOf(parseElement(toWire(text), UNLIMITED)));
}

describe("the verification string of XEP-0115", () => {
  it("is that of the simple example, whatever the order @1.8", () => {
    expect(verOf(`${FEATURES}<identity category='client' type='pc' name='Exodus 0.9.1'/>`)).toBe(
      "QgayPKawpkPSDYmwT/WM94uAlu0=",
    );
  });

  it("is that of the complex example, with languages and a form @1.8", () => {
    const identities = `<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
      <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>`;
    expect(verOf(`${identities}${FEATURES}${FORM}`)).toBe("q07IKJEyjvHSyhy//CH0CxmKi8w=");
  });

  it("leaves out forms whose FORM_TYPE is not hidden", () => {
    const identity = "<identity category='client' type='pc' name='Exodus 0.9.1'/>";
    const open = FORM.replace(" type='hidden'", "");
    expect(verOf(`${identity}${FEATURES}${open}`)).toBe(verOf(`${identity}${FEATURES}`));
  });
});
