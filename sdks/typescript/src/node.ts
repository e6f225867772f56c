import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { fromBytes, type Upload } from "./file.js";

/** Give a file of a disk, for Node and Deno. */
export async function fromPath(path: string | URL, name?: string): Promise<Upload> {
  const own = basename(path instanceof URL ? fileURLToPath(path) : path);
  return fromBytes(new Uint8Array(await readFile(path)), name ?? own);
}
