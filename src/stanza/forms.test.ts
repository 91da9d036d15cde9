import { describe, expect, it } from "@jest/globals";
import { parseElement } from "../xml/document.js";
import { type Element, xml } from "../xml/element.js";
import { UNLIMITED } from "../xml/limits.js";
import { NS } from "../xml/namespaces.js";
import { toWire } from "../xml/wire.js";
import { elementOf } from "../xml/tree.js";
import { attempt } from "./attempt.js";
import { StanzaError } from "./errors.js";
import { form, Submission } from "./forms.js";

const KIND = "urn:kind";
const TYPE = `<field var='FORM_TYPE' type='hidden'><value>${KIND}</value></field>`;
const wrapped = (content: string): Element => elementOf(parseElement(toWire(`<query>${content}</query>`), UNLIMITED));
const submitted = (fields: string, type = "submit") =>
  wrapped(`<x xmlns='${NS.dataForms}' type='${type}'>${fields}</x>`);
const read = (fields: string) => {
  const form = Submission.of(submitted(TYPE + fields), KIND);
  if (!form) throw new Error("no form");
  return form;
};
const conditionOf = (run: () => unknown): string => {
  const result = attempt(run);
  return result instanceof StanzaError ? result.condition : "";
};

describe("a form that was filled in", () => {
  it("gives its values by name @2.2", () => {
    const form = read(`
      <field var='one'><value>1 &lt; 2</value></field>
      <field var='many'><value>a</value><value/><value>b</value></field>
      <field type='fixed'><value>Section</value></field>
      <field var='empty'/>`);
    expect(form.names).toEqual(["one", "many", "empty"]);
    expect([form.text("one"), form.all("many"), form.text("empty"), form.text("absent")]).toEqual([
      "1 < 2",
      ["a", "", "b"],
      undefined,
      undefined,
    ]);
  });

  it("gives JIDs in their normal form, and truth in either spelling @2.2", () => {
    const form = read(`
      <field var='j'><value>Juliet@Example.COM/Balcony</value></field>
      <field var='t'><value>1</value></field><field var='f'><value>false</value></field>`);
    expect([String(form.jid("j")), form.boolean("t"), form.boolean("f"), form.boolean("x")]).toEqual([
      "juliet@example.com/Balcony",
      true,
      false,
      undefined,
    ]);
  });

  it.each([
    ["two values for one", (form: Submission) => form.text("two")],
    ["no JID", (form: Submission) => form.jid("bad")],
    ["neither true nor false", (form: Submission) => form.boolean("bad")],
  ])("with %s is not acceptable @2.2", (_, ask) => {
    const form = read(
      "<field var='two'><value>a</value><value>b</value></field><field var='bad'><value>@</value></field>",
    );
    expect(conditionOf(() => ask(form))).toBe("not-acceptable");
  });

  it.each([
    ["of another kind", submitted(TYPE.replace(KIND, "urn:other"))],
    ["of no kind", submitted("<field var='a'><value>b</value></field>")],
    ["that is cancelled", submitted(TYPE, "cancel")],
    ["that is ours to fill in", submitted(TYPE, "form")],
    ["with a field twice", submitted(`${TYPE}<field var='a'/><field var='a'/>`)],
    ["with its kind twice", submitted(TYPE + TYPE)],
    ["beside another", wrapped(`<x xmlns='${NS.dataForms}' type='submit'>${TYPE}</x>`.repeat(2))],
    ["of too many fields", submitted(TYPE + Array.from({ length: 256 }, (_, n) => `<field var='f${n}'/>`).join(""))],
  ])("%s is refused @2.2 @M9", (_, request) => {
    expect(conditionOf(() => Submission.of(request, KIND))).toBe("bad-request");
  });

  it("may be absent @2.2", () => {
    expect(Submission.of(wrapped("<x xmlns='urn:other'/>"), KIND)).toBeUndefined();
  });
});

describe("a form of ours", () => {
  it("names its kind first, and has of each field what is known of it @2.2", () => {
    const made = form(
      "form",
      KIND,
      [
        { var: "a", type: "text-single", label: "A", description: "what", values: ["x"], required: true },
        { var: "b", type: "list-multi", options: [{ value: "1", label: "one" }, { value: "2" }], extra: [xml("v")] },
      ],
      { title: "T", instructions: "I" },
    );
    expect(made.toString().replaceAll('"', "'")).toBe(
      `<x xmlns='${NS.dataForms}' type='form'><title>T</title><instructions>I</instructions>` +
        `<field type='hidden' var='FORM_TYPE'><value>${KIND}</value></field>` +
        "<field type='text-single' var='a' label='A'><desc>what</desc><required/><value>x</value></field>" +
        "<field type='list-multi' var='b'><option label='one'><value>1</value></option><option><value>2</value></option><v/></field></x>",
    );
  });
});
