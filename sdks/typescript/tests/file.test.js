import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { bytesOf, fromBytes, fromFile, fromUrl } from "imageplane-client";
import { fromPath } from "imageplane-client/node";

test("a URL is what the server fetches", () => {
  assert.deepEqual(fromUrl("https://a.example/1.jpg"), { type: "url", url: "https://a.example/1.jpg" });
  assert.deepEqual(fromUrl(new URL("https://a.example/1.jpg"), { name: "1.jpg", fetchOptions: { timeout_ms: 1000 } }), {
    type: "url",
    url: "https://a.example/1.jpg",
    name: "1.jpg",
    fetch_options: { timeout_ms: 1000 },
  });
});

test("a file of a form has its own name, and anything else has one too", () => {
  const file = new File(["x"], "own.jpg");
  assert.equal(fromFile(file).name, "own.jpg");
  assert.equal(fromFile(file, "other.jpg").name, "other.jpg");
  assert.equal(fromFile(new Blob(["x"])).name, "image");
  assert.equal(fromBytes(new Uint8Array([1])).name, "image");
});

test("a part of a larger array is sent as that part", async () => {
  const { data } = fromBytes(new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
  assert.deepEqual([...new Uint8Array(await data.arrayBuffer())], [2, 3]);
});

test("a file of a disk is read, by path or URL", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "imageplane-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "a b.jpg");
  await writeFile(path, new Uint8Array([1, 2, 3]));
  for (const given of [path, pathToFileURL(path)]) {
    const { name, data } = await fromPath(given);
    assert.equal(name, "a b.jpg");
    assert.equal(data.size, 3);
  }
  assert.equal((await fromPath(path, "c.jpg")).name, "c.jpg");
  await assert.rejects(fromPath(join(folder, "none.jpg")), { code: "ENOENT" });
});

test("base64 becomes bytes", () => {
  assert.deepEqual(bytesOf("AP9/"), new Uint8Array([0, 255, 127]));
});
