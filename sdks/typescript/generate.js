// Writes the types of the wire from the server's own description of itself: node generate.js [OPENAPI [TYPES]]
import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const HEAD = "// Written by `npm run generate` from docs/openapi.json; change it there.\n\n";

const here = (path) => new URL(path, import.meta.url);
const [source = here("../../docs/openapi.json"), target = here("src/types.ts")] = process.argv
  .slice(2)
  .map((path) => pathToFileURL(path));
const { openapi, info, components } = JSON.parse(await readFile(source, "utf8"));
// The paths are the business of client.ts; what is sent over them is wanted here.
const nouns = { openapi, info, paths: {}, components: { schemas: components.schemas } };
// A field with a default may be left out of a request.
const options = { rootTypes: true, rootTypesNoSchemaPrefix: true, defaultNonNullable: false };
const types = await openapiTS(nouns, options);
await writeFile(target, HEAD + astToString(types));
