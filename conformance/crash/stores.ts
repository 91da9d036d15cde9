// The stores that the suite runs on, and how many rounds each gets.

export interface Store {
  readonly name: string;
  /** Rounds in the short form, and in the long one. */
  readonly short: number;
  readonly full: number;
  /** Whether it can be given a disk that is soon full. */
  readonly canBeFull: boolean;
  /** The section `[storage]` for a round, as TOML: a store that nobody has written to. */
  settings(folder: string): Promise<string>;
  /** Ends what was started for it. */
  close(): Promise<void>;
}

const sqlite: Store = {
  name: "SQLite",
  short: 10,
  full: 50,
  canBeFull: true,
  settings: () => Promise.resolve(""),
  close: () => Promise.resolve(),
};

export function stores(): Promise<readonly Store[]> {
  return Promise.resolve([sqlite]);
}
