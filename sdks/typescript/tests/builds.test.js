import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import * as esm from "imageplane-client";
import * as esmNode from "imageplane-client/node";

const require = createRequire(import.meta.url);

test("both builds have the same names", () => {
  const cjs = require("imageplane-client");
  assert.notEqual(cjs.Imageplane, esm.Imageplane, "these are two builds");
  assert.deepEqual(Object.keys(cjs).sort(), Object.keys(esm).sort());
  assert.deepEqual(Object.keys(require("imageplane-client/node")), Object.keys(esmNode));
});

test("both builds work", async () => {
  for (const { Imageplane } of [esm, require("imageplane-client")]) {
    const fetch = async () => new Response('{"success": true, "data": {"credits": 3}}');
    const found = await new Imageplane({ apiKey: "ip_live_1", fetch }).account();
    assert.equal(found.data.credits, 3);
  }
});

// Browsers, Deno and the edge have these, and nothing of Node.
const WEB = [
  "AbortController",
  "Blob",
  "FormData",
  "Headers",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "URLSearchParams",
  "atob",
  "clearTimeout",
  "crypto",
  "performance",
  "setTimeout",
];

test("the client needs nothing but what the web has", async () => {
  const globals = Object.fromEntries(WEB.map((name) => [name, globalThis[name]]));
  const fetch = async () => new Response('{"success": true, "data": {"credits": 3}}');
  const { Imageplane, fromBytes, verifyWebhook } = await inABareRealm(globals);
  const client = new Imageplane({ apiKey: "ip_live_1", baseUrl: "", fetch });
  assert.equal((await client.account()).data.credits, 3);
  assert.equal((await client.transform({ file: fromBytes(new ArrayBuffer(3)), operations: [] })).data.credits, 3);
  await assert.rejects(verifyWebhook("", {}, ""), { message: /webhook-id/ });
});

/** Load the build in a world without Node. */
async function inABareRealm(globals) {
  const loaded = new Map();
  const load = (path) => {
    assert.match(path, /^\.\//, `${path} is no part of the client`);
    if (!loaded.has(path)) {
      const module = { exports: {} };
      loaded.set(path, module.exports);
      const context = { ...globals, module, exports: module.exports, require: load };
      runInNewContext(sources.get(path), context);
    }
    return loaded.get(path);
  };
  const folder = new URL("../dist/cjs/", import.meta.url);
  const sources = new Map();
  for (const name of ["index", "calls", "client", "errors", "file", "transport", "webhook"]) {
    sources.set(`./${name}.js`, await readFile(new URL(`${name}.js`, folder), "utf8"));
  }
  return load("./index.js");
}
