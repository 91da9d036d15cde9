// A generator of load as a process of its own, pinned to a core: one job in over IPC, one answer out.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pinned } from "../conformance/servers/server.js";

export const CLIENT_CORE = 1;

type Answer<T> = { readonly result: T } | { readonly error: string };

/** Runs `script` (beside this file) with a job; throws with the error it told. */
export async function inChild<T>(script: string, job: object): Promise<T> {
  const answer = await ask<T>(fileURLToPath(new URL(script, import.meta.url)), job);
  if ("error" in answer) throw new Error(answer.error);
  return answer.result;
}

function ask<T>(script: string, job: object): Promise<Answer<T>> {
  const [program = process.execPath, ...parameters] = pinned([process.execPath], CLIENT_CORE);
  const child = fork(script, ["--serve"], { execPath: program, execArgv: [...parameters, "--max-semi-space-size=32"] });
  return new Promise((resolve, reject) => {
    child.once("message", (answer) => resolve(answer as Answer<T>)).once("error", reject);
    child.once("exit", (code) => reject(new Error(`the load generator ended with ${code ?? "a signal"}`)));
    child.send(job);
  });
}

/** The process part of such a script: does nothing unless `inChild` started this very script (its `import.meta.url`). */
export function serve(url: string, perform: (job: never) => Promise<unknown>): void {
  if (process.argv[2] !== "--serve" || process.argv[1] !== fileURLToPath(url)) return;
  process.once("message", (job) => {
    const answer = (reply: Answer<unknown>): void => void process.send?.(reply, () => process.exit(0));
    perform(job as never).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
}
