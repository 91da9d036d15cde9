// XEP-0059 "Result Set Management": which page of a list is asked for, and which one it is that is given.
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { StanzaError } from "./errors.js";

/** What a `<set/>` asks for. What is absent was not asked. */
export interface PageRequest {
  /** Most items wanted; 0 asks for the count only. As large as the peer likes: cap it with `pageSize`. */
  readonly max?: number;
  /** Items behind the one of this id. */
  readonly after?: string;
  /** The items before the one of this id, paging backwards; "" is the last page. */
  readonly before?: string;
  /** The page that starts at this position of the whole list (0 is its first item). */
  readonly index?: number;
}

/** A page of a list, as the answer describes it. */
export interface PageInfo {
  /** Ids of the first and last item of the page; undefined when it is empty. */
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  /** The position of the page's first item in the whole list. */
  readonly index?: number | undefined;
  /** Items in the whole list. */
  readonly count?: number | undefined;
}

const PARTS = ["max", "after", "before", "index"] as const;

/** The page that a request asks for by its child `<set/>`: nothing in particular when there is none. Throws StanzaError `bad-request`. */
export function pageRequestOf(request: Element): PageRequest {
  const [set, another] = request.getChildren("set", NS.rsm);
  if (another) throw malformed("more than one <set/>");
  if (!set) return {};
  const [max, after, before, index] = PARTS.map((name) => only(set, name));
  return {
    ...(max === undefined ? {} : { max: wholeNumber("max", max) }),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(index === undefined ? {} : { index: wholeNumber("index", index) }),
  };
}

/** Items to put on the page: as many as asked for, up to the cap, and `initial` if the peer did not say. */
export function pageSize({ max }: PageRequest, initial: number, cap: number): number {
  return Math.min(max ?? initial, cap);
}

/** The `<set/>` that says which page an answer holds. */
export function pageSet({ first, last, index, count }: PageInfo): Element {
  const set = xml("set", { xmlns: NS.rsm });
  if (first !== undefined) set.append(xml("first", index === undefined ? {} : { index: String(index) }, first));
  if (last !== undefined) set.append(xml("last", {}, last));
  if (count !== undefined) set.append(xml("count", {}, String(count)));
  return set;
}

function only(set: Element, name: string): string | undefined {
  const [found, another] = set.getChildren(name, NS.rsm);
  if (another) throw malformed(`more than one <${name}/>`);
  return found?.text();
}

/** xs:int, of which only the non-negative ones mean something. */
function wholeNumber(name: string, text: string): number {
  const number = /^[ \t\r\n]*\+?(\d+)[ \t\r\n]*$/.exec(text)?.[1];
  if (number === undefined) throw malformed(`<${name}/> is not a number of items`);
  return Math.min(Number(number), Number.MAX_SAFE_INTEGER);
}

function malformed(problem: string): StanzaError {
  return new StanzaError("bad-request", "modify", problem);
}
