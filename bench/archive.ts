// The comparison of archives: pages are read from histories of one size, then messages are sent that every server must archive. What the
// archives say they hold is compared with what was sent; nothing here fails for being slow.
import { type Contestant, type Named, perSecond, type Series, withServers } from "./compare.js";
import { load, type Measured } from "./load.js";
import { reading } from "./reading.js";

export interface ArchivePlan {
  readonly pairs: number;
  readonly inFlight: number;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly readers: number;
  /** Messages in the archive of each reader. */
  readonly history: number;
  readonly pageSize: number;
}

/** Measures reading and archiving on all servers. `say` gets a line per round. */
export function compareArchives(
  servers: readonly Contestant[],
  plan: ArchivePlan,
  say: (line: string) => void,
): Promise<readonly Series[]> {
  return withServers(servers, plan.pairs, async (running) => {
    for (const one of running) await fill(one, plan);
    return [
      ...(await rounds("reading", running, plan, read, say)),
      ...(await rounds("archiving", running, plan, archive, say)),
    ];
  });
}

async function rounds(
  mode: "reading" | "archiving",
  running: readonly Named[],
  plan: ArchivePlan,
  measure: (server: Named, plan: ArchivePlan) => Promise<Measured>,
  say: (line: string) => void,
): Promise<readonly Series[]> {
  const series = running.map((one) => ({ one, rounds: [] as Measured[] }));
  for (let round = 1; round <= plan.rounds; round++)
    for (const { one, rounds } of series) {
      const measured = await measure(one, plan);
      rounds.push(measured);
      say(`round ${round} ${one.name} ${mode}: ${perSecond([measured])} messages/s`);
    }
  return series.map(({ one, rounds }) => ({ server: one.name, mode, rounds }));
}

const base = ({ server }: Named): { target: { host: string; domain: string; port: number }; serverPid: number } => ({
  target: { host: server.host, domain: server.domain, port: server.port },
  serverPid: server.pid,
});

async function fill(server: Named, { readers, history, inFlight }: ArchivePlan): Promise<void> {
  await load({ ...base(server), pairs: readers, inFlight, warmUpMs: 0, measureMs: 0, archived: true, each: history });
}

function read(server: Named, { readers, history, pageSize, warmUpMs, measureMs }: ArchivePlan): Promise<Measured> {
  return reading({ ...base(server), readers, pageSize, expected: history, warmUpMs, measureMs });
}

function archive(server: Named, { pairs, inFlight, warmUpMs, measureMs }: ArchivePlan): Promise<Measured> {
  return load({ ...base(server), pairs, inFlight, warmUpMs, measureMs, archived: true });
}
