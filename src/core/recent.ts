// Bounded maps of what was used lately. Told a number of entries, lru-cache takes the room for all of them at once: megabytes and milliseconds
// at every start, for maps that mostly stay small. Told a size, it grows as it is filled.
import { LRUCache } from "lru-cache";

/** A map that holds at most so many entries; the longest unused is forgotten first. */
export function recentlyUsed<Key extends string, Value extends object | true>(most: number): LRUCache<Key, Value> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}
