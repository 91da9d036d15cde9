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
