// Holds what arrives on a connection against what a step expects; keeps what was captured, and says why when it does not match.
import { match } from "./notation/pattern.js";
import type { Pattern } from "./notation/scene.js";
import { TooLate, describeArrival, type Arrival, type ClientStream } from "./stream.js";
import { dressedPattern } from "./wardrobe.js";

/** How long to wait, in milliseconds, and whether texts are lengthened. */
export interface Terms {
  readonly limitMs: number;
  readonly nonAscii: boolean;
}

export class Expectations {
  readonly #values: Map<string, string>;
  readonly #terms: Terms;

  /** Captured values are put into `values`. */
  constructor(values: Map<string, string>, terms: Terms) {
    this.#values = values;
    this.#terms = terms;
  }

  async inOrder(stream: ClientStream, patterns: readonly Pattern[]): Promise<void> {
    for (const pattern of patterns) {
      const arrival = await this.next(stream, pattern.source);
      const because = this.#meet(pattern, arrival);
      if (because !== undefined)
        throw new Error(`expected ${pattern.source}\narrived  ${describeArrival(arrival)}\nbecause  ${because}`);
    }
  }

  async inAnyOrder(stream: ClientStream, patterns: readonly Pattern[]): Promise<void> {
    const left = [...patterns];
    while (left.length > 0) {
      const wanted = left.map((pattern) => pattern.source).join("\n      or ");
      const arrival = await this.next(stream, wanted);
      const because = left.map((pattern) => this.#meet(pattern, arrival));
      const met = because.indexOf(undefined);
      if (met < 0)
        throw new Error(
          `expected ${wanted}\narrived  ${describeArrival(arrival)}\nbecause  ${because.join("\n         ")}`,
        );
      left.splice(met, 1);
    }
  }

  /** Why an arrival does not match; keeps what it captured when it does. */
  #meet(pattern: Pattern, arrival: Arrival): string | undefined {
    if (arrival.kind !== "element") return "it is no element";
    const result = match(this.#terms.nonAscii ? dressedPattern(pattern) : pattern, arrival.tree, this.#values);
    if ("because" in result) return result.because;
    for (const [name, value] of result.captured) this.#values.set(name, value);
    return undefined;
  }

  async next(stream: ClientStream, wanted: string): Promise<Arrival> {
    try {
      return await stream.next(this.#terms.limitMs);
    } catch (error) {
      if (!(error instanceof TooLate)) throw error;
      throw new Error(`expected ${wanted}\narrived  nothing within ${this.#terms.limitMs} ms`, { cause: error });
    }
  }

  async head(stream: ClientStream, pattern: Pattern): Promise<void> {
    const arrival = await this.next(stream, pattern.source);
    if (arrival.kind !== "head") throw new Error(`expected a stream header\narrived  ${describeArrival(arrival)}`);
    const result = match(pattern, arrival.tree, this.#values);
    if ("because" in result)
      throw new Error(`the stream header does not match: ${result.because}\narrived  ${describeArrival(arrival)}`);
    for (const [name, value] of result.captured) this.#values.set(name, value);
  }

  /** A stream error if one is given, then `</stream:stream>`, then the end of the connection once we have closed our side. */
  async close(stream: ClientStream, error: Pattern | undefined): Promise<void> {
    if (error) this.#checkStreamError(error, await this.next(stream, `<stream:error>${error.source}`));
    const end = await this.next(stream, "</stream:stream>");
    if (end.kind !== "end") throw new Error(`expected </stream:stream>\narrived  ${describeArrival(end)}`);
    stream.send("</stream:stream>");
    stream.end();
    const closed = await this.next(stream, "the end of the connection");
    if (closed.kind !== "closed")
      throw new Error(`expected the end of the connection\narrived  ${describeArrival(closed)}`);
  }

  #checkStreamError(wanted: Pattern, arrival: Arrival): void {
    if (arrival.kind !== "element" || arrival.tree.name !== "error")
      throw new Error(`expected a stream error ${wanted.source}\narrived  ${describeArrival(arrival)}`);
    const streams = "http://etherx.jabber.org/streams";
    const frame: Pattern = {
      name: "error",
      ns: streams,
      attributes: new Map(),
      children: [wanted],
      text: undefined,
      open: true,
      without: [],
      source: "",
    };
    const because = this.#meet(frame, arrival);
    if (because !== undefined)
      throw new Error(`the stream error is another: ${because}\narrived  ${describeArrival(arrival)}`);
  }
}
