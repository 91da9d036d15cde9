// Reads a file of scenes (see ../../README.md for the notation). Whatever is mistyped ends with `file:line: what is wrong`.
import { parseFragments, parseHead } from "../xml.js";
import { patternNames, patternOf } from "./pattern.js";
import {
  SceneError,
  type Deed,
  type Member,
  type Pattern,
  type Scene,
  type ServerSettings,
  type Step,
  type Way,
} from "./scene.js";
import { asBytes, names, pieces, unescapeBytes } from "./template.js";

interface Line {
  readonly number: number;
  readonly text: string;
}

interface Draft {
  readonly line: number;
  readonly spec: string;
  readonly sentence: string;
  readonly tags: string[];
  settings: ServerSettings;
  readonly cast: Member[];
  readonly steps: Step[];
  readonly differs: Map<string, string>;
  readonly known: Set<string>;
}

const DEFAULTS: ServerSettings = { registration: "open", tls: "optional" };
const OPENS_LINE = /^(show|cast|server|differs|given|everyone)\b/;
const WAYS: Readonly<Record<string, Way>> = {
  "": "tls",
  "over TCP": "tcp",
  "over TLS": "tls",
  "over direct TLS": "direct tls",
};

/** All scenes of one file. Throws SceneError. */
export function readScenes(file: string, text: string): Scene[] {
  const drafts: Draft[] = [];
  for (const line of logicalLines(text))
    try {
      readLine(drafts, line);
    } catch (error) {
      throw new SceneError(file, line.number, error instanceof Error ? error.message : String(error), { cause: error });
    }
  for (const draft of drafts)
    if (draft.steps.length === 0) throw new SceneError(file, draft.line, "this scene has no step");
  return drafts.map((draft) => sceneOf(file, draft));
}

function sceneOf(file: string, { line, spec, sentence, tags, settings, cast, steps, differs }: Draft): Scene {
  return { file, line, spec, sentence, tags, settings, cast, steps, differs };
}

/** Comments and blank lines go; an indented line continues the one before. */
function logicalLines(text: string): Line[] {
  const lines: { number: number; text: string }[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const last = lines.at(-1);
    if (/^\s*(#|$)/.test(raw)) continue;
    if (!/^\s/.test(raw)) lines.push({ number: index + 1, text: raw.trimEnd() });
    else if (last) last.text += joint(last.text, raw.trim()) + raw.trim();
    else throw new SceneError("", index + 1, "an indented line continues the line before, and there is none");
  }
  return lines;
}

/** No white space is sent between the elements of a step that was folded for its reader. */
function joint(before: string, after: string): string {
  return before.endsWith(">") && after.startsWith("<") ? "" : " ";
}

function readLine(drafts: Draft[], line: Line): void {
  const word = OPENS_LINE.exec(line.text)?.[1];
  const rest = line.text.slice(word?.length ?? 0).trim();
  if (word === "show") return void drafts.push(showLine(rest, line.number));
  const draft = drafts.at(-1);
  if (!draft) throw new Error("a scene begins with: show SPEC SECTION: SENTENCE");
  if (word === "cast") return castLine(draft, rest);
  if (word === "server") return serverLine(draft, rest);
  if (word === "differs") return differsLine(draft, rest);
  for (const deed of deedsOf(draft, word, rest, line.text)) {
    checkNames(draft, deed);
    draft.steps.push({ ...deed, line: line.number, source: line.text });
  }
}

function showLine(rest: string, line: number): Draft {
  const match = /^((?:RFC \d+|XEP-\d{4}|ruling \d+)[^:]*): (.+?)((?:\s+@[\w.]+)*)$/.exec(rest);
  if (!match)
    throw new Error('write: show RFC 6121 §2.3: SENTENCE, or: show XEP-0199 "SECTION": SENTENCE, then tags as @1.6');
  const tags = (match[3] ?? "").split(/\s+/).filter((tag) => tag !== "");
  const [spec = "", sentence = ""] = [match[1], match[2]];
  const known = new Set(["a", "nobody", "nobody.local"]);
  return { line, spec, sentence, tags, settings: DEFAULTS, cast: [], steps: [], differs: new Map(), known };
}

function castLine(draft: Draft, rest: string): void {
  for (const entry of rest.split(/\s+/)) {
    const match = /^(\w+)=(?:(stream)|(\w+)@a(?:\/(.+))?)$/.exec(entry);
    if (!match) throw new Error(`cast ${entry}: write name=local@a/resource, name=local@a or name=stream`);
    const [, name = "", , local, resource] = match;
    if (draft.known.has(name) || name === "everyone") throw new Error(`${name} is already taken`);
    draft.cast.push({ name, local, resource });
    const parts = local === undefined ? [] : ["", ".bare", ".local", ".resource", ".password"];
    for (const part of [...parts]) draft.known.add(name + part);
  }
}

function serverLine(draft: Draft, rest: string): void {
  for (const entry of rest.split(/\s+/))
    if (entry === "registration=open" || entry === "registration=closed")
      draft.settings = { ...draft.settings, registration: entry === "registration=open" ? "open" : "closed" };
    else if (entry === "tls=required" || entry === "tls=optional")
      draft.settings = { ...draft.settings, tls: entry === "tls=required" ? "required" : "optional" };
    else throw new Error(`server ${entry}: known are registration=open|closed and tls=required|optional`);
}

function differsLine(draft: Draft, rest: string): void {
  const match = /^(prosody|ejabberd): ([\s\S]+)$/.exec(rest);
  if (!match) throw new Error("write: differs prosody: WHY");
  draft.differs.set(match[1] ?? "", (match[2] ?? "").replace(/\s+/g, " "));
}

function deedsOf(draft: Draft, word: string | undefined, rest: string, text: string): Deed[] {
  if (word === "given") return givenLine(draft, rest);
  if (word === "everyone")
    return rest === "settles"
      ? [{ kind: "settles", who: undefined }]
      : fail(`everyone ${rest}: only "everyone settles"`);
  const match = /^(\w+)\s+([\s\S]+)$/.exec(text);
  const who = memberOf(draft, match?.[1] ?? text);
  return [deedOf(who, match?.[2] ?? "")];
}

function givenLine(draft: Draft, rest: string): Deed[] {
  const room = /^(\w[\w, ]*) in a room(?: with (.+))?$/.exec(rest);
  if (room) return [roomDeed(draft, room[1] ?? "", room[2] ?? "")];
  const both = /^(\w+) and (\w+) see each other$/.exec(rest);
  const one = /^(\w+) sees (\w+)$/.exec(rest);
  const found =
    both ??
    one ??
    fail("write: given romeo sees juliet, given romeo and juliet see each other, or: given romeo and juliet in a room");
  const [watcher, watched] = [memberOf(draft, found[1] ?? ""), memberOf(draft, found[2] ?? "")];
  const first: Deed = { kind: "given", watcher, watched };
  return both ? [first, { kind: "given", watcher: watched, watched: watcher }] : [first];
}

/** From here on `{room}` is its address and `{juliet.nick}` her nick there. */
function roomDeed(draft: Draft, list: string, settings: string): Deed {
  const members = list.split(/, | and /).map((name) => memberOf(draft, name.trim()));
  for (const name of members) draft.known.add(`${name}.nick`);
  draft.known.add("room");
  const fields = settings.split(/\s+/).filter((entry) => entry !== "");
  return { kind: "room", members, fields: new Map(fields.map(fieldOf)) };
}

function fieldOf(entry: string): [string, string] {
  const match = /^([^=]+)=(.*)$/.exec(entry);
  return match ? [match[1] ?? "", match[2] ?? ""] : fail(`with ${entry}: write FIELD=VALUE`);
}

function deedOf(who: string, rest: string): Deed {
  if (rest.startsWith(">>"))
    return { kind: "bytes", who, pieces: pieces(unescapeBytes(asBytes(rest.slice(2).trim()))) };
  if (rest.startsWith(">")) return sendDeed(who, rest.slice(1).trim());
  if (rest.startsWith("<")) return expectDeed(who, rest.slice(1).trim());
  if (rest === "= quiet") return { kind: "quiet", who };
  if (rest === "settles") return { kind: "settles", who };
  if (rest === "opens") return { kind: "opens", who };
  if (rest === "starts TLS") return { kind: "startsTls", who };
  if (rest === "logs out") return { kind: "logsOut", who };
  if (rest === "drops") return { kind: "drops", who };
  return wordyDeed(who, rest);
}

function wordyDeed(who: string, rest: string): Deed {
  const match = /^(connects|comes online|closes|ignores|logs in)\b\s*([\s\S]*)$/.exec(rest);
  const [verb = "", more = ""] = [match?.[1], match?.[2]?.trim()];
  if (verb === "connects")
    return {
      kind: "connects",
      who,
      way: WAYS[more] ?? fail(`connects ${more}: over TCP, over TLS or over direct TLS`),
    };
  if (verb === "comes online")
    return {
      kind: "comesOnline",
      who,
      presence: pieces(checkXml(more === "" ? "<presence/>" : more.replace(/^with\s+/, ""))),
    };
  if (verb === "closes")
    return { kind: "closes", who, error: more === "" ? undefined : onePattern(more.replace(/^with\s+/, "")) };
  if (verb === "ignores") return { kind: "ignores", who, patterns: parseFragments(more).map(patternOf) };
  if (verb === "logs in")
    return more === "by SCRAM-SHA-1" || more === "by PLAIN"
      ? { kind: "logsIn", who, mechanism: more === "by PLAIN" ? "PLAIN" : "SCRAM-SHA-1" }
      : fail("write: logs in by PLAIN, or: logs in by SCRAM-SHA-1");
  return fail(
    `"${who} ${rest.split("\n")[0] ?? ""}" is no step: > >> < = quiet, connects, comes online, settles, ignores, opens, starts TLS, logs in, logs out, drops, closes`,
  );
}

function sendDeed(who: string, xml: string): Deed {
  return { kind: "send", who, pieces: pieces(checkXml(xml)) };
}

function expectDeed(who: string, text: string): Deed {
  if (/^<stream:stream(\s[^>]*[^/])?>$/.test(text))
    return { kind: "head", who, pattern: { ...patternOf(parseHead(text)), open: true } };
  const anyOrder = /^in any order\s+/.exec(text)?.[0] ?? "";
  const trees = parseFragments(text.slice(anyOrder.length));
  if (trees.length === 0) throw new Error(`nothing is expected here: "${text}"`);
  return { kind: "expect", who, patterns: trees.map(patternOf), anyOrder: anyOrder !== "" };
}

function onePattern(text: string): Pattern {
  const [tree, ...more] = parseFragments(
    text.includes("xmlns") ? text : text.replace(/^<([\w-]+)/, "<$1 xmlns='urn:ietf:params:xml:ns:xmpp-streams'"),
  );
  return tree && more.length === 0
    ? patternOf(tree)
    : fail(`one condition is expected, as in: closes with <not-authorized/>, not "${text}"`);
}

function checkXml(xml: string): string {
  if (parseFragments(xml).length === 0)
    throw new Error(`no element in "${xml}"; bytes that are no XML are sent with >>`);
  return xml;
}

function memberOf(draft: Draft, name: string): string {
  if (draft.cast.some((member) => member.name === name)) return name;
  throw new Error(
    `"${name}" is neither in the cast (${draft.cast.map((member) => member.name).join(", ")}) nor a word of the notation`,
  );
}

/** Every `{name}` must be a member, a built-in or captured above; a literal `juliet@a` is surely meant as `{juliet.bare}`. */
function checkNames(draft: Draft, deed: Deed): void {
  const { uses, defines } = namesOf(deed);
  for (const name of defines) draft.known.add(name);
  for (const name of uses) if (!draft.known.has(name)) throw new Error(`{${name}} is not known here`);
}

function namesOf(deed: Deed): { uses: string[]; defines: string[] } {
  switch (deed.kind) {
    case "send":
    case "bytes":
      return names(deed.pieces);
    case "comesOnline":
      return names(deed.presence);
    case "expect":
    case "ignores": {
      const all = deed.patterns.map(patternNames);
      return { uses: all.flatMap((each) => each.uses), defines: all.flatMap((each) => each.defines) };
    }
    case "head":
      return patternNames(deed.pattern);
    case "closes":
    case "given":
    case "room":
    case "quiet":
    case "settles":
    case "connects":
    case "opens":
    case "startsTls":
    case "logsIn":
    case "logsOut":
    case "drops":
      return { uses: [], defines: [] };
  }
}

function fail(what: string): never {
  throw new Error(what);
}
