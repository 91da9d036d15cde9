// What `npm pack` puts into the package: every module that the server loads, and none that only tests and scripts use.
import { describe, expect, it } from "@jest/globals";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** Imports, of types too, and the files of workers. */
const LOADED = /(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*"(\.[^"]*)\.js"/g;

function packed(): readonly string[] {
  const report = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return [...report.matchAll(/"path": "([^"]+)"/g)].map(([, path = ""]) => path);
}

const sourceOf = (module: string): string => join(ROOT, `${module.replace(/^dist/, "src")}.ts`);

/** The modules that `dist/main.js` leads to, without their endings. */
function reached(from: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(from)) return found;
  found.add(from);
  for (const [, path = ""] of readFileSync(sourceOf(from), "utf8").matchAll(LOADED))
    reached(normalize(join(dirname(from), path)), found);
  return found;
}

describe("the package", () => {
  const files = packed();
  const needed = reached("dist/main");

  it("has every module of the server @1.1", () => {
    expect([...needed].filter((module) => !files.includes(`${module}.js`))).toEqual([]);
  });

  it("has nothing in dist that the server does not use @1.12", () => {
    const modules = new Set(files.map((path) => path.replace(/\.(?:d\.ts|js|js\.map)$/, "")));
    const built = [...modules].filter((path) => path.startsWith("dist/") && existsSync(sourceOf(path))); // no remains of older builds
    expect(built.filter((module) => !needed.has(module))).toEqual([]);
  });
});
