// Reading an archive (XEP-0313) as a client does: its count, and all of its pages, newest first.
import type { Connection } from "./connection.js";

type Pipe = Pick<Connection, "write" | "listen">;

const END = "</iq>";
const STEP_MS = 30_000;

/** Reads one account's archive. Pages are asked for one at a time. */
export class ArchiveReader {
  readonly #pipe: Pipe;
  #text = "";
  #answer: ((error?: Error) => void) | undefined;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
    pipe.listen(
      (text) => this.#take(text),
      (error) => this.#answer?.(error ?? new Error("connection closed by the server")),
    );
  }

  /** How many messages the archive says it has. */
  async count(): Promise<number> {
    const page = await this.#query("<max>0</max>");
    const count = Number(/<count>(\d+)<\/count>/.exec(page)?.[1]);
    if (!Number.isInteger(count)) throw new Error(`no count in: ${page.slice(-500)}`);
    return count;
  }

  /** Reads page after page to the oldest message, `read` is told the messages of each; answers how many they were. */
  async walk(size: number, read: (messages: number) => void): Promise<number> {
    let [total, before] = [0, "<before/>"];
    for (;;) {
      const page = await this.#query(`<max>${size}</max>${before}`);
      const messages = page.match(/<result[ >]/g)?.length ?? 0;
      total += messages;
      read(messages);
      const first = /<first[^>]*>([^<]*)<\/first>/.exec(page)?.[1];
      if (first === undefined || /<fin[^>]* complete=['"]true/.test(page)) return total;
      before = `<before>${first}</before>`;
    }
  }

  #query(set: string): Promise<string> {
    const rsm = `<set xmlns='http://jabber.org/protocol/rsm'>${set}</set>`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#answer?.(new Error("no page came in time")), STEP_MS);
      this.#answer = (error) => {
        clearTimeout(timer);
        this.#answer = undefined;
        const page = this.#text;
        this.#text = "";
        if (error !== undefined) reject(error);
        else if (page.includes("<fin")) resolve(page);
        else reject(new Error(`no page: ${page.slice(-500)}`));
      };
      this.#pipe.write(`<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'>${rsm}</query></iq>`);
    });
  }

  #take(text: string): void {
    if (this.#answer === undefined) return; // the presence that comes after the login
    this.#text += text;
    if (this.#text.endsWith(END)) this.#answer();
  }
}
