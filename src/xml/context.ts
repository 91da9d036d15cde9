// What a fragment inherits from the stream head around it: the default namespace and the prefixes.

export interface Context {
  readonly defaultNs: string;
  /** By prefix, in wire form as written. */
  readonly prefixes: ReadonlyMap<string, string>;
}

/** Around a document there is nothing. */
export const NOTHING_AROUND: Context = { defaultNs: "", prefixes: new Map() };
