// Words from caught errors, which may be anything, for messages and logs.

/** Why something failed, without the name of the error class. Works for errors of other realms, unlike `instanceof Error`. */
export function reasonOf(error: unknown): string {
  const message: unknown = typeof error === "object" && error !== null && "message" in error ? error.message : error;
  return typeof message === "string" ? message : String(message);
}

/** The code of a system error ("ENOENT"), or "". */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}

/** Why a file that the operator has named cannot be read, and what to do; the caller says which file. */
export function whyUnreadable(error: unknown): string {
  switch (codeOf(error)) {
    case "ENOENT":
      return "there is no such file: correct its name, or put it there";
    case "ENOTDIR":
      return "its path leads through a file that is no folder: correct its name";
    case "EISDIR":
      return "this is a folder: name the file in it";
    case "EACCES":
    case "EPERM":
      return "the server's user may not read it: allow that for the file and its folders";
    default:
      return reasonOf(error);
  }
}

/** Why nothing can be written in a folder for data, and what to do; the caller says which folder. */
export function whyUnwritable(error: unknown): string {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return "the server's user may not write there: allow that, or choose another data_dir";
    case "EROFS":
      return "this file system is read-only: mount it for writing, or choose another data_dir";
    default:
      return `${reasonOf(error)}: mend that, or choose another data_dir`;
  }
}

/** A fault whose text is made for the operator: what is wrong and what to do, a line for each problem. It is printed without a stack. */
export interface ForOperator {
  readonly forOperator: readonly string[];
}

/** What an error has to say to the operator; undefined if it is not made for that. */
export function linesForOperator(error: unknown): readonly string[] | undefined {
  const lines = (error as Partial<ForOperator> | null | undefined)?.forOperator;
  return Array.isArray(lines) ? lines : undefined;
}
