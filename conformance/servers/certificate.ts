// A self-signed certificate for servers that do not make one themselves, by the openssl command.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Makes `certificate.pem` and `key.pem` (P-256, 30 days) in a folder unless they are there; answers the certificate's PEM. */
export function certificateIn(folder: string, domain: string): string {
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  if (!existsSync(certificate)) {
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
    const subject = ["-subj", `/CN=${domain}`, "-addext", `subjectAltName=DNS:${domain}`];
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", certificate], {
      stdio: "pipe",
    });
  }
  return readFileSync(certificate, "utf8");
}
