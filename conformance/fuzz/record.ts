// Runs a scanner over bytes in pieces and writes down all that comes out, so that two runs can be compared.
import { AFTER_LOGIN, type ScannerLimits } from "#rookery/xml/limits.js";
import { type Fragment, Scanner, XmlFault } from "#rookery/xml/scanner.js";
import { elementOf } from "#rookery/xml/tree.js";

export interface Record {
  readonly events: string[];
  readonly fragments: Fragment[];
  /** Of the stream error, if there was one. */
  condition: string | undefined;
  work: number;
}

/** Feeds the bytes cut at these places (ascending indexes). */
export function record(bytes: Buffer, cuts: readonly number[], limits: ScannerLimits = AFTER_LOGIN): Record {
  const found: Record = { events: [], fragments: [], condition: undefined, work: 0 };
  const scanner = new Scanner(
    {
      head: (head) => found.events.push(`head ${JSON.stringify(head)} ${head.attribute("to") ?? ""}`),
      fragment: (fragment) => {
        found.events.push(
          `fragment ${JSON.stringify({ ...fragment, children: fragment.children })} ${elementOf(fragment).toString()}`,
        );
        found.fragments.push(fragment);
      },
      end: () => found.events.push("end"),
    },
    limits,
  );
  try {
    let from = 0;
    for (const cut of [...cuts, bytes.length]) {
      scanner.write(Buffer.from(bytes.subarray(from, cut)));
      from = cut;
    }
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    found.condition = error.condition;
  }
  found.work = scanner.work;
  return found;
}

/** The events and the condition, without what depends on the pieces. */
export function outcome(bytes: Buffer, cuts: readonly number[], limits?: ScannerLimits): readonly string[] {
  const { events, condition } = record(bytes, cuts, limits);
  return condition === undefined ? events : [...events, condition];
}
