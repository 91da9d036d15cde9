// What `rookery check` looks at, put together: the data folder, the store, the addresses to listen on, the certificate, the names in DNS.
// Nothing is made or changed.
import { existsSync } from "node:fs";
import { controlPath } from "./admin/control-path.js";
import { isServed } from "./admin/control.js";
import { checkBy, checkEndpoint, checkFolder, checkNames, type Finding } from "./admin/check.js";
import { allEndpoints } from "./c2s/endpoints.js";
import { readCertificates } from "./c2s/tls/certificate.js";
import { ownFiles } from "./c2s/tls/own-certificate.js";
import type { Clock } from "./core/clock.js";
import type { Config } from "./core/config.js";
import { inspectStorage } from "./storage/open.js";

export async function check(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const { c2s, data_dir, domains, storage } = config;
  const listening = { plain: c2s.listen.map(({ port }) => port), directTls: c2s.direct_tls.map(({ port }) => port) };
  const outside = await Promise.all([
    checkBy("certificate", () => lookAtCertificates(config, clock)),
    ...domains.map((domain) => checkNames(domain, listening)),
  ]);
  if (await isServed(controlPath(data_dir)))
    return [{ what: "server", state: "good", text: "is running on this data folder" }, ...outside.flat()];
  const ports = allEndpoints(config).flatMap(({ setting, endpoints }) =>
    endpoints.map((at) => checkEndpoint(setting, at)),
  );
  const stored = await checkBy("store", async () => ({ good: await inspectStorage(storage.url, data_dir) }));
  return [checkFolder(data_dir), ...stored, ...(await Promise.all(ports)), ...outside.flat()];
}

/** Those of [tls], or the server's own if it has made one yet. Nothing is made here. */
async function lookAtCertificates(
  { tls, domains, data_dir }: Config,
  clock: Clock,
): Promise<{ readonly good: string; readonly warnings?: readonly string[] }> {
  const own = ownFiles(data_dir);
  if (tls.certificate.length === 0 && !existsSync(own.certificate)) return { good: "will be made" };
  const files = tls.certificate.length > 0 ? tls : { certificate: [own.certificate], key: [own.key] };
  const { warnings } = await readCertificates(files, { domains, clock });
  return tls.certificate.length > 0 ? { good: "can be used", warnings } : { good: "is the server's own" };
}
