// What a scene expects: an example of an element with `…` and braces in it becomes a Pattern, and a Pattern meets what arrived.
import { elements, show, textOf, type Tree } from "../xml.js";
import type { Pattern } from "./scene.js";
import { TemplateError, matchText, names, pieces, type Piece, type Values } from "./template.js";

/** The captured values, or why the element does not match. */
export type Match = { readonly captured: ReadonlyMap<string, string> } | { readonly because: string };

/** `<_ is='{x=/forbidden|not-allowed/}'/>`: an element of whatever name, which `is` may match. */
const ANY_NAME = "_";
const ANY_NS = "*";

/** Reads an example element. Throws TemplateError. */
export function patternOf(tree: Tree): Pattern {
  const loose = pieces(textOf(tree));
  const children = elements(tree).map(patternOf);
  const open = loose.some((piece) => piece.kind === "wild");
  const without = loose.filter((piece) => piece.kind === "no");
  const text = loose.filter((piece) => piece.kind !== "no");
  if (children.length > 0 || without.length > 0) onlyMarks(text, tree);
  const attributes = new Map([...tree.attributes].map(([name, value]) => [name, pieces(value)]));
  const leaf = children.length === 0 && without.length === 0;
  return {
    name: tree.name,
    ns: tree.ns,
    attributes,
    children,
    text: leaf ? text : undefined,
    open,
    without,
    source: show(tree),
  };
}

/** The variables a pattern uses and defines. */
export function patternNames(pattern: Pattern): { uses: string[]; defines: string[] } {
  const own = [...pattern.attributes.values(), pattern.text ?? []].map(names);
  const all = [...own, ...pattern.children.map(patternNames)];
  return { uses: all.flatMap((each) => each.uses), defines: all.flatMap((each) => each.defines) };
}

/** Holds a pattern against an element. `body` maps the texts that the non-ASCII run changes. */
export function match(pattern: Pattern, tree: Tree, values: Values): Match {
  const found = new Map(values);
  const because = mismatch(pattern, tree, found);
  if (because !== undefined) return { because };
  return { captured: new Map([...found].filter(([name, value]) => values.get(name) !== value)) };
}

function mismatch(pattern: Pattern, tree: Tree, values: Map<string, string>): string | undefined {
  if (pattern.name !== ANY_NAME && pattern.name !== tree.name) return `it is <${tree.name}>, not <${pattern.name}>`;
  if (pattern.ns !== ANY_NS && pattern.ns !== tree.ns)
    return `<${tree.name}> is in namespace '${tree.ns}', not '${pattern.ns}'`;
  return (
    attributesMismatch(pattern, tree, values) ??
    textMismatch(pattern, tree, values) ??
    childrenMismatch(pattern, tree, values)
  );
}

function attributesMismatch(pattern: Pattern, tree: Tree, values: Map<string, string>): string | undefined {
  for (const [name, wanted] of pattern.attributes) {
    const value = pattern.name === ANY_NAME && name === "is" ? tree.name : tree.attributes.get(name);
    if (wanted[0]?.kind === "none") {
      if (value !== undefined) return `<${tree.name}> has ${name}='${value}', which must not be there`;
      continue;
    }
    if (value === undefined) return `<${tree.name}> has no attribute ${name}`;
    const because = take(wanted, value, values);
    if (because !== undefined) return `attribute ${name} of <${tree.name}> is '${value}', expected ${because}`;
  }
  return undefined;
}

function textMismatch(pattern: Pattern, tree: Tree, values: Map<string, string>): string | undefined {
  if (pattern.text === undefined) return undefined;
  const text = textOf(tree);
  if (pattern.text.length === 0) return text.trim() === "" ? undefined : `<${tree.name}> holds the text '${text}'`;
  const because = take(pattern.text, text, values);
  return because === undefined ? undefined : `the text of <${tree.name}> is '${text}', expected ${because}`;
}

function childrenMismatch(pattern: Pattern, tree: Tree, values: Map<string, string>): string | undefined {
  const left = elements(tree);
  for (const wanted of pattern.children) {
    const because = takeChild(wanted, left, tree.name, values);
    if (because !== undefined) return because;
  }
  const unwanted = elements(tree).find((each) =>
    pattern.without.some(({ element, ns }) => element === each.name && (ns ?? each.ns) === each.ns),
  );
  if (unwanted) return `<${tree.name}> holds <${unwanted.name}>, which must not be there`;
  const more = left[0];
  if (!pattern.open && pattern.without.length === 0 && more) return `<${tree.name}> also holds ${show(more)}`;
  return undefined;
}

/** Finds the child that matches, removes it from `left` and keeps what it captured; else the reason of the nearest one. */
function takeChild(wanted: Pattern, left: Tree[], parent: string, values: Map<string, string>): string | undefined {
  let nearest = `<${parent}> holds no <${wanted.name} xmlns='${wanted.ns}'>`;
  for (const [index, candidate] of left.entries()) {
    const trial = new Map(values);
    const because = mismatch(wanted, candidate, trial);
    if (because === undefined) {
      for (const [name, value] of trial) values.set(name, value);
      left.splice(index, 1);
      return undefined;
    }
    if (candidate.name === wanted.name && candidate.ns === wanted.ns) nearest = because;
  }
  return nearest;
}

function take(wanted: readonly Piece[], text: string, values: Map<string, string>): string | undefined {
  const captured = matchText(wanted, text, values);
  if (!captured) return describe(wanted, values);
  for (const [name, value] of captured) values.set(name, value);
  return undefined;
}

function describe(wanted: readonly Piece[], values: Values): string {
  return `'${wanted.map((piece) => describePiece(piece, values)).join("")}'`;
}

function describePiece(piece: Piece, values: Values): string {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "variable":
      return values.get(piece.name) ?? `{${piece.name}}`;
    case "not":
      return `anything but ${values.get(piece.name) ?? piece.name}`;
    case "capture":
    case "pattern":
      return `/${piece.pattern}/`;
    case "wild":
    case "none":
    case "no":
    case "base64":
    case "repeat":
      return "…";
  }
}

function onlyMarks(text: readonly Piece[], tree: Tree): void {
  const stray = text.find((piece) => piece.kind !== "wild" && !(piece.kind === "text" && piece.text.trim() === ""));
  if (stray)
    throw new TemplateError(`text between the elements in <${tree.name}>: only … and {no child} may stand there`);
}
