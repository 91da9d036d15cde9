// XEP-0004 "Data Forms": forms we offer, and what comes back. A form's kind is its FORM_TYPE (XEP-0068).
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { StanzaError } from "./errors.js";
import { JID, JidError } from "./jid.js";

export type FieldType =
  | "boolean"
  | "fixed"
  | "hidden"
  | "jid-multi"
  | "jid-single"
  | "list-multi"
  | "list-single"
  | "text-multi"
  | "text-private"
  | "text-single";

/** A field of a form that we send. */
export interface Field {
  readonly var: string;
  readonly type: FieldType;
  readonly label?: string;
  readonly description?: string;
  /** The values it has, or has unless it is filled in otherwise. */
  readonly values?: readonly string[];
  readonly options?: readonly { readonly value: string; readonly label?: string }[];
  readonly required?: true;
  /** Further children, such as XEP-0122's `<validate/>`. */
  readonly extra?: readonly Element[];
}

export interface FormText {
  readonly title?: string;
  readonly instructions?: string;
}

const FORM_TYPE = "FORM_TYPE";
const MAX_FIELDS = 256; // several times the largest form in use (configurations of rooms and nodes)

/** A form to be filled in ("form"), or filled in by us ("result"). */
export function form(
  type: "form" | "result",
  formType: string,
  fields: readonly Field[],
  { title, instructions }: FormText = {},
): Element {
  const x = xml("x", { xmlns: NS.dataForms, type });
  if (title !== undefined) x.append(xml("title", {}, title));
  if (instructions !== undefined) x.append(xml("instructions", {}, instructions));
  const all: readonly Field[] = [{ var: FORM_TYPE, type: "hidden", values: [formType] }, ...fields];
  x.append(...all.map(fieldElement));
  return x;
}

function fieldElement(field: Field): Element {
  const { type, label, description, values = [], options = [], required, extra = [] } = field;
  return xml(
    "field",
    { type, var: field.var, ...(label === undefined ? {} : { label }) },
    ...(description === undefined ? [] : [xml("desc", {}, description)]),
    ...(required ? [xml("required")] : []),
    ...values.map((value) => xml("value", {}, value)),
    ...options.map((option) =>
      xml("option", option.label === undefined ? {} : { label: option.label }, xml("value", {}, option.value)),
    ),
    ...extra,
  );
}

/**
 * A form that a peer filled in. Reading a value throws StanzaError `not-acceptable` where it is not one of the asked kind (XEP-0004
 * "Data Validation").
 */
export class Submission {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  private constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /**
   * The submitted form among an element's children; undefined when there is none. Throws StanzaError `bad-request` for anything but
   * one form of type "submit" and of this FORM_TYPE with each field once.
   */
  static of(request: Element, formType: string): Submission | undefined {
    const [x, another] = request.getChildren("x", NS.dataForms);
    if (another) throw malformed("more than one form");
    if (!x) return undefined;
    if (x.attrs["type"] !== "submit") throw malformed("not a form of type submit");
    const values = valuesOf(x);
    if (values.get(FORM_TYPE)?.[0] !== formType) throw malformed(`not a form of the kind ${formType}`);
    values.delete(FORM_TYPE);
    return new Submission(values);
  }

  /** The names of its fields, without FORM_TYPE. */
  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** The values of a field: none if it is not there. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The one value of a field; undefined if it is not there or empty. */
  text(name: string): string | undefined {
    const [value, another] = this.all(name);
    if (another !== undefined) throw unacceptable(name, "has more than one value");
    return value === "" ? undefined : value;
  }

  jid(name: string): JID | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : jidIn(name, text);
  }

  /** The values of a field of addresses; empty ones are none. */
  jids(name: string): readonly JID[] {
    const texts = this.all(name).filter((text) => text !== "");
    return texts.map((text) => jidIn(name, text));
  }

  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (text === "1" || text === "true") return true;
    if (text === "0" || text === "false") return false;
    throw unacceptable(name, "is neither true nor false");
  }
}

/** The error for a field whose value cannot be used. */
export function unacceptable(name: string, problem: string): StanzaError {
  return new StanzaError("not-acceptable", "modify", `the field ${name} ${problem}`);
}

function jidIn(name: string, text: string): JID {
  try {
    return JID.parse(text);
  } catch (error) {
    if (error instanceof JidError) throw unacceptable(name, "is not a JID");
    throw error;
  }
}

/** Fields without a name ("fixed") say nothing. */
function valuesOf(x: Element): Map<string, readonly string[]> {
  const fields = x.getChildren("field", NS.dataForms);
  if (fields.length > MAX_FIELDS) throw malformed(`more than ${MAX_FIELDS} fields`);
  const values = new Map<string, readonly string[]>();
  for (const field of fields) {
    const name: unknown = field.attrs["var"];
    if (typeof name !== "string" || name === "") continue;
    if (values.has(name)) throw malformed("a field that is there twice");
    values.set(
      name,
      field.getChildren("value", NS.dataForms).map((value) => value.text()),
    );
  }
  return values;
}

function malformed(problem: string): StanzaError {
  return new StanzaError("bad-request", "modify", problem);
}
