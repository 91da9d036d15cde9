import { describe, expect, it } from "@jest/globals";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadConfig } from "./core/config.js";
import { exampleConfig } from "./core/config/print.js";
import { SECTIONS } from "./features.js";

describe("rookery.example.toml", () => {
  const text = readFileSync(fileURLToPath(new URL("../rookery.example.toml", import.meta.url)), "utf8");
  const load = (written: string) => loadConfig({ text: written, sections: SECTIONS });

  it("names every key with its default @1.10", () => {
    const uncommented = text.replaceAll(/^#(?=\w+ = )/gm, "");
    expect(load(uncommented).settings.every(({ origin }) => origin !== "default")).toBe(true);
    expect(load(uncommented).config).toEqual(load("").config);
  });

  it("changes nothing as it stands, and is the text made from the declared sections @1.10", () => {
    expect(load(text)).toMatchObject({ config: load("").config, warnings: [] });
    expect(text).toBe(exampleConfig(SECTIONS));
  });
});
