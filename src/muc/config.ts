// The configuration of a room: settings, each owned by the part it belongs to. What is as by default is not stored, so that a default that
// changes later reaches the rooms that never chose.
import { type Field, type Submission, unacceptable } from "../stanza/forms.js";
import type { Json } from "../storage/writes.js";

/** The settings that differ from the defaults, by their stored keys. */
export type RoomConfig = ReadonlyMap<string, Json>;

export const DEFAULT_CONFIG: RoomConfig = new Map();

/** A setting under its stored key. */
export class Setting<T extends Json> {
  readonly key: string;
  readonly initial: T;
  readonly #is: (value: Json) => value is T;

  /** `is` says which stored values are sound; others count as not set. */
  constructor(key: string, initial: T, is: (value: Json) => value is T) {
    this.key = key;
    this.initial = initial;
    this.#is = is;
  }

  of(config: RoomConfig): T {
    const stored = config.get(this.key);
    return stored !== undefined && this.#is(stored) ? stored : this.initial;
  }

  set(config: RoomConfig, value: T): RoomConfig {
    const changed = new Map(config);
    if (value === this.initial) changed.delete(this.key);
    else changed.set(this.key, value);
    return changed;
  }
}

export function flag(key: string, initial: boolean): Setting<boolean> {
  return new Setting(key, initial, (value) => typeof value === "boolean");
}

export function text(key: string): Setting<string> {
  return new Setting<string>(key, "", (value) => typeof value === "string");
}

export function count(key: string, initial: number): Setting<number> {
  return new Setting<number>(key, initial, (value) => typeof value === "number");
}

export function choice<const T extends string>(key: string, initial: T, all: readonly T[]): Setting<T> {
  return new Setting<T>(key, initial, (value): value is T => (all as readonly Json[]).includes(value));
}

/** Some of several values; all of them, if nothing else is set. Stored joined by spaces. */
export class Choices<const T extends string> {
  readonly all: readonly T[];
  readonly #setting: Setting<string>;

  constructor(key: string, all: readonly T[]) {
    this.all = all;
    this.#setting = new Setting<string>(key, all.join(" "), (value) => typeof value === "string");
  }

  of(config: RoomConfig): readonly T[] {
    const chosen = this.#setting.of(config).split(" ");
    return this.all.filter((value) => chosen.includes(value));
  }

  set(config: RoomConfig, values: readonly string[]): RoomConfig {
    return this.#setting.set(config, this.all.filter((value) => values.includes(value)).join(" "));
  }
}

/** A field of the form in which an owner configures the room. */
export interface ConfigField {
  /** As it is now. */
  readonly field: (config: RoomConfig) => Field;
  /** With what was filled in. Throws StanzaError `not-acceptable` for a value that cannot be. */
  readonly fill: (config: RoomConfig, form: Submission) => RoomConfig;
}

/** A field of the configuration as everybody may see it, in `muc#roominfo` ("any field defined for the muc#roomconfig FORM_TYPE"). */
export function shown({ field }: ConfigField, config: RoomConfig): Field {
  const { var: name, type, label = name, values = [] } = field(config);
  return { var: name, type, label, values };
}

export function flagField(setting: Setting<boolean>, name: string, label: string): ConfigField {
  return {
    field: (config) => ({ var: name, type: "boolean", label, values: [setting.of(config) ? "1" : "0"] }),
    fill: (config, form) => {
      const value = form.boolean(name);
      return value === undefined ? config : setting.set(config, value);
    },
  };
}

/** One line of text, of at most so many characters. */
export function textField(
  setting: Setting<string>,
  name: string,
  label: string,
  most: number,
  type: "text-single" | "text-private" = "text-single",
): ConfigField {
  return {
    field: (config) => ({ var: name, type, label, values: [setting.of(config)] }),
    fill: (config, form) => {
      if (!form.names.includes(name)) return config;
      const value = form.text(name) ?? "";
      if (value.length > most) throw unacceptable(name, `is longer than ${most} characters`);
      return setting.set(config, value);
    },
  };
}

/** Addresses, at most so many; in the setting they are joined by line breaks, which no address has. */
export function addressesField(setting: Setting<string>, name: string, label: string, most: number): ConfigField {
  return {
    field: (config) => ({ var: name, type: "jid-multi", label, values: linesOf(setting.of(config)) }),
    fill: (config, form) => {
      if (!form.names.includes(name)) return config;
      const given = form.jids(name);
      if (given.length > most) throw unacceptable(name, `has more than ${most} values`);
      return setting.set(config, given.join("\n"));
    },
  };
}

export function linesOf(joined: string): readonly string[] {
  return joined === "" ? [] : joined.split("\n");
}

export function choiceField<T extends string>(
  setting: Setting<T>,
  name: string,
  label: string,
  labels: Readonly<Record<T, string>>,
): ConfigField {
  const all = Object.keys(labels) as T[];
  const options = all.map((value) => ({ value, label: labels[value] }));
  return {
    field: (config) => ({ var: name, type: "list-single", label, values: [setting.of(config)], options }),
    fill: (config, form) => {
      const value = form.text(name);
      if (value === undefined) return config;
      const known = all.find((one) => one === value);
      if (known === undefined) throw unacceptable(name, "has none of the offered values");
      return setting.set(config, known);
    },
  };
}

export function choicesField(setting: Choices<string>, name: string, label: string): ConfigField {
  const options = setting.all.map((value) => ({ value }));
  return {
    field: (config) => ({ var: name, type: "list-multi", label, values: setting.of(config), options }),
    fill: (config, form) => {
      if (!form.names.includes(name)) return config;
      const chosen = form.all(name);
      if (chosen.some((value) => !setting.all.includes(value)))
        throw unacceptable(name, "has values that were not offered");
      return setting.set(config, chosen);
    },
  };
}
