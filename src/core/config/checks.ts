// Rules that look at more than one setting: which domains are served, what contradicts, what deserves a warning.
import type { Setting } from "../config.js";
import type { Config, ConfigSection } from "./sections.js";
import { fullName } from "./words.js";

/** `domain` and `domains` say the same thing: what is nearer (environment, then file) wins; both in one place is a fault. */
export function chooseDomains(config: Config, settings: readonly Setting[], problems: string[]): Config {
  const [one, many] = ["domain", "domains"].map((key) => rank(originOf(settings, key)));
  const several = config.domains.length > 0;
  if (one === many && one !== 0 && several)
    problems.push(`${originOf(settings, "domains")}: set either "domain" or "domains", not both`);
  const domains = several && (many ?? 0) >= (one ?? 0) ? [...new Set(config.domains)] : [config.domain];
  return { ...config, domain: domains[0] ?? config.domain, domains };
}

function originOf(settings: readonly Setting[], name: string): string {
  return settings.find(({ section, key }) => fullName(section, key) === name)?.origin ?? "default";
}

function rank(origin: string): number {
  return origin === "default" ? 0 : origin.startsWith("env ") ? 2 : 1;
}

/** One line for each. */
export function contradictions({ tls, archive, domains }: Config, settings: readonly Setting[]): string[] {
  const problems: string[] = [];
  const at = (...names: string[]): string | undefined =>
    names.map((name) => originOf(settings, name)).find((origin) => origin !== "default");
  if (tls.certificate.length !== tls.key.length)
    problems.push(
      `${at("tls.certificate", "tls.key")}: tls.certificate names ${tls.certificate.length} file(s) and tls.key ${tls.key.length}: each certificate needs its key`,
    );
  for (const key of ["retention", "quota"] as const)
    for (const name of Object.keys(archive[key]))
      if (name !== "default" && !domains.some((domain) => name === domain || name.endsWith(`.${domain}`)))
        problems.push(
          `${at(`archive.${key}`)}: archive.${key} names ${name}, which is no domain of this server (${domains.join(", ")})`,
        );
  return problems;
}

/** One line for each. */
export function warningsOf(
  { c2s, storage }: Config,
  settings: readonly Setting[],
  sections: readonly ConfigSection[],
): string[] {
  const later = settings
    .filter(({ origin, section: name, key }) => origin !== "default" && isLater(sections, name, key))
    .map(
      ({ origin, section: name, key }) =>
        `${origin}: ${fullName(name, key)} has no effect yet: its feature is not part of this version`,
    );
  if (!c2s.require_tls) later.push("c2s.require_tls is false: passwords and messages may travel in the clear");
  if (storage.url.driver === "memory") later.push("storage.url is memory: everything is lost when the server stops");
  return later;
}

function isLater(sections: readonly ConfigSection[], name: string, key: string): boolean {
  return sections.find((one) => one.name === name)?.later?.includes(key) ?? false;
}
