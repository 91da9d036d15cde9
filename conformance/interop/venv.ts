// Packages of PyPI for the suites: each in a virtual environment of its own, outside the checkout, made once.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The environment's programs: `python3`, and those that its package brings. */
export function programIn(environment: string, name: string): string {
  return join(environment, "bin", name);
}

/** Makes the environment unless `probe` (a program of it and its parameters) succeeds there; answers why it cannot be had. */
export function install(environment: string, requirement: string, probe: readonly string[]): string | undefined {
  const [program = "", ...parameters] = probe;
  const works = (): boolean => spawnSync(programIn(environment, program), parameters, { stdio: "ignore" }).status === 0;
  if (existsSync(programIn(environment, program)) && works()) return undefined;
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(environment, { recursive: true });
  const made = spawnSync("python3", ["-m", "venv", environment], { encoding: "utf8" });
  if (made.status !== 0)
    return `no virtual environment for ${requirement}: ${made.error?.message ?? made.stdout + made.stderr}`;
  const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", requirement];
  const installed = spawnSync(programIn(environment, "python3"), pip, { encoding: "utf8" });
  return installed.status === 0 && works() ? undefined : `${requirement} cannot be installed: ${installed.stderr}`;
}
