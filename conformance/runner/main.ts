// `npm run scenes`: plays the scenes of conformance/scenes against a server and exits with 0 only if all went as written.
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SceneError, type Scene } from "./notation/scene.js";
import { readScenes } from "./notation/read.js";
import { type MakeServer, type Result, Theatre } from "./play.js";
import { ejabberd } from "../servers/ejabberd.js";
import { prosody } from "../servers/prosody.js";
import { rookery } from "../servers/rookery.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SCENES = join(ROOT, "conformance/scenes");
const KINDS: Readonly<Record<string, MakeServer>> = { rookery, prosody, ejabberd };
const USAGE = `npm run scenes -- [--server ${Object.keys(KINDS).join("|")}] [--only TEXT] [--ascii | --non-ascii] [--limit MS] [--at-once N] [--keep] [--json FILE]`;

interface Choice {
  readonly name: string;
  readonly server: MakeServer;
  readonly only: string;
  readonly nonAscii: readonly boolean[];
  readonly limitMs: number;
  readonly atOnce: number;
  readonly keep: boolean;
  readonly json: string;
}

process.exitCode = await main();

/** 0: all as written; 1: something failed; 2: used wrongly. */
async function main(): Promise<number> {
  try {
    return await playAll(choose());
  } catch (error) {
    const known = error instanceof SceneError || error instanceof TypeError;
    say(known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  }
}

async function playAll(choice: Choice): Promise<number> {
  const scenes = await allScenes(choice.only);
  const folder = await mkdtemp(join(tmpdir(), "scenes-"));
  const theatre = new Theatre({ ...choice, folder });
  const results: Result[] = [];
  // whoever interrupts the run leaves no server behind
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void theatre.stop().finally(() => process.exit(1)));
  try {
    await theatre.play(scenes, (result) => {
      results.push(result);
      say(lineOf(result));
    });
  } finally {
    await theatre.stop();
    if (choice.keep) say(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
  await writeFile(choice.json, JSON.stringify(reportOf(choice.name, results), undefined, 2) + "\n");
  return summary(results, choice.name);
}

/** Every scene whose file or first line holds the text. A pattern that fits none is an error, not a success. */
async function allScenes(only: string): Promise<Scene[]> {
  const files = (await readdir(SCENES)).filter((name) => name.endsWith(".scene")).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(SCENES, name), "utf8")));
  const scenes = files.flatMap((name, index) => readScenes(`conformance/scenes/${name}`, texts[index] ?? ""));
  const chosen = scenes.filter((scene) =>
    `${scene.file} ${scene.spec}: ${scene.sentence} ${scene.tags.join(" ")}`.includes(only),
  );
  if (chosen.length === 0) throw new TypeError(`no scene holds "${only}"`);
  return chosen;
}

function choose(): Choice {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    server: text,
    only: text,
    ascii: flag,
    "non-ascii": flag,
    limit: text,
    "at-once": text,
    keep: flag,
    json: text,
  };
  const { values } = parseArgs({ options });
  const name = values.server ?? "rookery";
  const server = KINDS[name];
  if (!server) throw new TypeError(USAGE);
  return {
    name,
    server,
    only: values.only ?? "",
    nonAscii: values.ascii ? [false] : values["non-ascii"] ? [true] : [false, true],
    limitMs: whole(values.limit, 10_000),
    atOnce: whole(values["at-once"], 6),
    keep: values.keep ?? false,
    json: values.json ?? join(ROOT, "build", `scenes-${name}.json`),
  };
}

function whole(text: string | undefined, otherwise: number): number {
  const number = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(number) || number < 1) throw new TypeError(USAGE);
  return number;
}

function lineOf({ scene, nonAscii, outcome, detail, durationMs }: Result): string {
  const mark = { passed: "ok     ", failed: "FAILED ", differs: "differs" }[outcome];
  const title = `${mark} ${scene.spec}: ${scene.sentence}${nonAscii ? " (non-ASCII)" : ""} [${durationMs} ms]`;
  return detail === "" ? title : `${title}\n      ${outcome === "differs" ? firstLineOf(detail) : detail}`;
}

function firstLineOf(text: string): string {
  return text.slice(0, text.indexOf("\n"));
}

/** For the acceptance page: one row per scene and run. */
function reportOf(server: string, results: readonly Result[]): unknown {
  const rows = results.map(
    ({ scene: { file, line, spec, sentence, tags }, nonAscii, outcome, detail, durationMs }) => ({
      ...{ file, line, spec, sentence, tags, nonAscii, outcome, detail, durationMs },
    }),
  );
  return {
    server,
    results: rows.sort(
      (a, b) => a.file.localeCompare(b.file) || a.line - b.line || Number(a.nonAscii) - Number(b.nonAscii),
    ),
  };
}

function summary(results: readonly Result[], server: string): number {
  const count = (outcome: Result["outcome"]): number => results.filter((result) => result.outcome === outcome).length;
  if (count("differs") > 0) say(`${count("differs")} differ on ${server}, as the scenes say`);
  say(`${count("passed") + count("differs")} passed, ${count("failed")} failed`);
  return count("failed") === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
