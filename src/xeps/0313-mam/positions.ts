// Where in its list a page lies, and how long the list is (XEP-0059). Counting a long list costs the store more than reading a page of it,
// so a run of pages is counted once: the next page lies where the one before it ended.
import type { Context } from "../../core/context.js";
import { recentlyUsed } from "../../core/recent.js";
import type { LogRange, LogRow } from "../../storage/port.js";

const KEPT = 1000; // runs at once, some hundred bytes each
const TRUSTED_MS = 60_000; // then it is counted anew: old entries may have been removed

/** A page as it was read. */
export interface PageRead {
  /** By rising id, at least one. */
  readonly rising: readonly LogRow[];
  /** Read from this entry on towards newer ones, or towards older ones; undefined from the end of the list. */
  readonly from: number | undefined;
  readonly backwards: boolean;
  /** No entry of the list is older, or newer, than those of the page. */
  readonly startsList: boolean;
  readonly endsList: boolean;
}

/** How many entries of the list are older and newer than those of a page. */
export interface Around {
  readonly below: number;
  readonly above: number;
}

/** The last page of a run. */
interface Known extends Around {
  readonly low: number;
  readonly high: number;
  readonly rows: number;
  /** Ids above this one are not in `above`. */
  readonly top: number;
  readonly countedAt: number;
}

export type PositionPorts = Pick<Context, "storage" | "clock" | "ids">;

export class Positions {
  readonly #ports: PositionPorts;
  readonly #known = recentlyUsed<string, Known>(KEPT);

  constructor(ports: PositionPorts) {
    this.#ports = ports;
  }

  /** Where a page of the list that the filter means lies in it. */
  async of(owner: string, filter: LogRange, page: PageRead): Promise<Around> {
    const count = (range: LogRange): Promise<number> => this.#ports.storage.countLog(owner, { ...filter, ...range });
    const low = page.rising[0]?.id ?? 0;
    const high = page.rising.at(-1)?.id ?? 0;
    const rows = page.rising.length;
    const top = Math.max(this.#ports.ids.last, high);
    const key = `${owner}\n${JSON.stringify(filter)}`;
    const known = this.#trusted(key);
    const total = known && known.below + known.rows + known.above + (await newer(count, filter, known.top));
    const below = belowOf(page, known, total) ?? (await count({ before: low }));
    const above = page.endsList
      ? 0
      : total === undefined
        ? await count({ after: high, before: Math.min(top + 1, filter.before ?? Infinity) })
        : Math.max(total - below - rows, 0);
    const countedAt = known?.countedAt ?? this.#ports.clock.now();
    this.#known.set(key, { low, high, rows, below, above, top, countedAt });
    return { below, above };
  }

  #trusted(key: string): Known | undefined {
    const known = this.#known.get(key);
    return known && this.#ports.clock.now() - known.countedAt < TRUSTED_MS ? known : undefined;
  }
}

/** What has come to the list since. */
async function newer(count: (range: LogRange) => Promise<number>, filter: LogRange, top: number): Promise<number> {
  const after = Math.max(top, filter.after ?? -1);
  return after + 1 >= (filter.before ?? Infinity) ? 0 : count({ after });
}

/** Undefined where it must be counted. */
function belowOf(page: PageRead, known: Known | undefined, total: number | undefined): number | undefined {
  const { startsList, endsList, from, backwards } = page;
  const rows = page.rising.length;
  if (startsList) return 0;
  if (endsList && total !== undefined) return Math.max(total - rows, 0);
  if (from === undefined || !known) return undefined;
  if (!backwards && from === known.high) return known.below + known.rows;
  if (backwards && from === known.low) return Math.max(known.below - rows, 0);
  return undefined;
}
