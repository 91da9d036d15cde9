// Builds dist/ from src/; with --if-older only when a source file is newer than the last build. Called by npm (prepare, prestart).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = join(root, "node_modules/typescript/bin/tsc");
const built = join(root, "dist/tsconfig.tsbuildinfo");

if (!existsSync(join(root, "src"))) process.exit(0); // installed from a package: dist came with it
if (process.argv.includes("--if-older") && existsSync(built) && newest(join(root, "src")) <= statSync(built).mtimeMs)
  process.exit(0);
if (!existsSync(tsc)) {
  const usable = existsSync(join(root, "dist/main.js"));
  console.error(
    `rookery: the TypeScript compiler is not installed, so dist/ ${usable ? "may be out of date" : "cannot be built"}: run npm ci --include=dev`,
  );
  process.exit(usable || process.env.npm_lifecycle_event === "prepare" ? 0 : 1);
}
const { status } = spawnSync(process.execPath, [tsc, "-b", join(root, "src")], { stdio: "inherit" });
if (status !== 0) rmSync(built, { force: true }); // so that the next --if-older does not take a failed build for a good one
process.exit(status ?? 1);

/** The latest change below a folder, in milliseconds since 1970; a file that was removed changed its folder. */
function newest(folder) {
  return Math.max(
    statSync(folder).mtimeMs,
    ...readdirSync(folder, { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? newest(join(folder, entry.name)) : statSync(join(folder, entry.name)).mtimeMs,
    ),
  );
}
