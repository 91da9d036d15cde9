// Writes doap.xml from the features' manifests in dist/. Called by npm run doap.
import { readFileSync, writeFileSync } from "node:fs";
import { doapOf } from "../dist/doap.js";
import { MANIFESTS } from "../dist/features.js";

const at = (name) => new URL(`../${name}`, import.meta.url);
writeFileSync(at("doap.xml"), doapOf(JSON.parse(readFileSync(at("package.json"), "utf8")), MANIFESTS));
