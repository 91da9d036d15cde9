// Asks for a password on the terminal without showing it, or takes the first line of a pipe.
import { AdminFault } from "./actions.js";

/** The part of process.stdin that is needed. */
export interface PasswordInput extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
}

const MAX_PASSWORD_BYTES = 1023;
const ENTER = /[\r\n]/;

/**
 * Asks for a new password; on a terminal twice.
 * @throws AdminFault if there is none, it is too long, the two differ, or the question was broken off.
 */
export async function askPassword(input: PasswordInput, show: (text: string) => void, jid: string): Promise<string> {
  const lines = typing(input, show);
  try {
    const first = await ask(lines, `Password for ${jid}: `);
    const again = input.isTTY === true ? await ask(lines, "Once more: ") : first;
    if (first !== again) throw new AdminFault("the two passwords differ: nothing was changed");
    if (first === "") throw new AdminFault("no password was given: nothing was changed");
    return first;
  } finally {
    input.setRawMode?.(false);
    await lines.return(undefined);
  }

  function ask(from: AsyncGenerator<string>, question: string): Promise<string> {
    if (input.isTTY === true) show(question);
    return from.next().then((line) => (line.done === true ? "" : line.value));
  }
}

/** The lines typed or piped in. On a terminal keys are read one by one, so that none is shown. */
async function* typing(input: PasswordInput, show: (text: string) => void): AsyncGenerator<string> {
  if (input.isTTY === true) input.setRawMode?.(true);
  const decoder = new TextDecoder();
  let line = "";
  for await (const chunk of input) {
    for (const key of typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true })) {
      if (input.isTTY === true && (key === "\u0003" || key === "\u0004"))
        throw new AdminFault("broken off: nothing was changed");
      if (!ENTER.test(key)) line = edited(line, key, input.isTTY === true);
      else {
        if (input.isTTY === true) show("\n");
        yield line;
        line = "";
      }
    }
  }
  yield line;
}

function edited(line: string, key: string, terminal: boolean): string {
  if (terminal && (key === "\u007f" || key === "\b")) return Array.from(line).slice(0, -1).join("");
  if (Buffer.byteLength(line) + Buffer.byteLength(key) > MAX_PASSWORD_BYTES)
    throw new AdminFault(`a password may have ${MAX_PASSWORD_BYTES} bytes: nothing was changed`);
  return line + key;
}
