// How the attacks on a real process are listed and counted: one line each, `N passed, N failed` at the end.
import type { RunningServer } from "../servers/server.js";
import { say } from "../part.js";

export interface Attack {
  /** A sentence, with the tags of the rows it proves. */
  readonly name: string;
  readonly run: (server: RunningServer) => Promise<void>;
}

export interface Score {
  passed: number;
  failed: number;
}

export async function runAttacks(attacks: readonly Attack[], server: RunningServer, score: Score): Promise<void> {
  for (const { name, run } of attacks) {
    try {
      await run(server);
      score.passed++;
      say(`ok      ${name}`);
    } catch (error) {
      score.failed++;
      say(`FAILED  ${name}\n        ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
