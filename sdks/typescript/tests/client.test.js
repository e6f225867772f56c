import assert from "node:assert/strict";
import { test } from "node:test";
import { Imageplane, fromBytes, fromUrl } from "imageplane-client";
import { answering, image, reply } from "./server.js";

const FILE = fromUrl("https://cdn.example.com/photo.jpg", { name: "photo.jpg" });
const OPERATIONS = [{ type: "smart_crop", width_in_px: 200, height_in_px: 200 }];
const PICTURE = { success: true, data: { buffer: "AAEC", mime_type: "image/webp" }, metadata: {} };

function client(fetch, options = {}) {
  return new Imageplane({ apiKey: "ip_live_1", baseUrl: "https://images.example.com/", fetch, ...options });
}

test("a transform sends its JSON as it is, and gives the reply as it is", async () => {
  const { fetch, requests } = answering(reply(PICTURE));
  const found = await client(fetch).transform({ file: FILE, operations: OPERATIONS });
  assert.deepEqual(found, PICTURE);
  const [{ url, method, headers, body }] = requests;
  assert.equal(url, "https://images.example.com/image-transformation/v1/transform");
  assert.equal(method, "POST");
  assert.equal(headers.get("authorization"), "Bearer ip_live_1");
  assert.equal(headers.get("content-type"), "application/json");
  assert.equal(headers.get("accept"), "application/json");
  assert.deepEqual(JSON.parse(body), {
    file: { type: "url", name: "photo.jpg", url: "https://cdn.example.com/photo.jpg" },
    operations: OPERATIONS,
  });
});

test("an upload goes as a form, without base64", async () => {
  const { fetch, requests } = answering(reply(PICTURE));
  const outputs = [{ name: "a", operations: OPERATIONS }];
  const order = {
    file: fromBytes(new Uint8Array([1, 2, 3]), "photo.jpg"),
    outputs,
    webhook_url: "https://a.example/",
    delivery: "link",
  };
  await client(fetch).submit(order);
  const { headers, body } = requests[0];
  assert.equal(headers.has("content-type"), false, "only fetch knows the boundary of the form");
  assert.equal(headers.get("prefer"), "respond-async");
  assert.deepEqual([...body.keys()], ["file", "outputs", "webhook_url", "delivery"]);
  assert.equal(body.get("file").name, "photo.jpg");
  assert.deepEqual([...new Uint8Array(await body.get("file").arrayBuffer())], [1, 2, 3]);
  assert.deepEqual(JSON.parse(body.get("outputs")), outputs);
  assert.equal(body.get("webhook_url"), "https://a.example/");
});

test("bytes are asked for as an image", async () => {
  const { fetch, requests } = answering(image(new Uint8Array([7, 8, 9])));
  const found = await client(fetch).transformToBytes({ file: FILE, operations: [] });
  assert.deepEqual(found, new Uint8Array([7, 8, 9]));
  assert.equal(requests[0].headers.get("accept"), "image/*");
});

test("what is no image is not given as one", async () => {
  const { fetch } = answering(reply(PICTURE));
  const call = client(fetch).transformToBytes({ file: FILE, operations: [] });
  await assert.rejects(call, { name: "StatusError", status: 200, message: /base URL/ });
});

test("a page that is no JSON is not given as a reply", async () => {
  const { fetch } = answering(new Response("<html>", { headers: { "x-request-id": "req_9" } }));
  await assert.rejects(client(fetch).account(), { name: "StatusError", status: 200, requestId: "req_9" });
});

test("a transform with a webhook is not sent", async () => {
  const { fetch, requests } = answering(reply(PICTURE));
  const order = { file: FILE, operations: [], webhook_url: "https://app.example.com/hook" };
  await assert.rejects(client(fetch).transform(order), TypeError);
  await assert.rejects(client(fetch).transformToBytes(order), TypeError);
  assert.equal(requests.length, 0);
});

test("every method has its address", async () => {
  const { fetch, requests } = answering(reply({ success: true, data: {} }));
  const server = client(fetch);
  await server.job("a/b");
  await server.jobs();
  await server.jobs({ status: "failed", before: undefined, limit: 5 });
  await server.result("J");
  await server.cancel("J");
  await server.replay("J");
  await server.account();
  await server.usage({ since: "2026-11-01" });
  await server.webhookSecrets();
  await server.rotateWebhookSecret();
  await server.submitBulk({ manifest: { url: "https://a.example/m.jsonl" }, operations: [] });
  await server.deliveries("J");
  await server.redeliver("msg/1");
  await assert.rejects(server.output("J", "a b"));
  assert.deepEqual(
    requests.map(({ method, url }) => `${method} ${url.replace("https://images.example.com", "")}`),
    [
      "GET /v1/jobs/a%2Fb",
      "GET /v1/jobs",
      "GET /v1/jobs?status=failed&limit=5",
      "GET /v1/jobs/J/result",
      "POST /v1/jobs/J/cancel",
      "POST /v1/jobs/J/replay",
      "GET /v1/me",
      "GET /v1/usage?since=2026-11-01",
      "GET /v1/webhooks/secrets",
      "POST /v1/webhooks/secrets/rotate",
      "POST /v1/bulk",
      "GET /v1/jobs/J/deliveries",
      "POST /v1/deliveries/msg%2F1/redeliver",
      "GET /v1/jobs/J/outputs/a%20b",
    ],
  );
});

test("a bulk is handed in as JSON", async () => {
  const { fetch, requests } = answering(reply({ success: true, async: true, job_id: "J" }));
  const bulk = { manifest: { url: "https://a.example/m.jsonl" }, operations: OPERATIONS };
  assert.equal((await client(fetch).submitBulk(bulk)).job_id, "J");
  assert.deepEqual(JSON.parse(requests[0].body), bulk);
  assert.equal(requests[0].headers.get("content-type"), "application/json");
  assert.equal(requests[0].headers.has("idempotency-key"), true);
});

const lines = (body) => new Response(body, { headers: { "content-type": "application/jsonl" } });

test("what is told of a bulk line by line is a list", async () => {
  const { fetch, requests } = answering(lines('{"name": "ä/1.webp"}\n{"name": "2"}\n'), lines(""));
  assert.deepEqual(await client(fetch).bulkOutputs("a/b"), [{ name: "ä/1.webp" }, { name: "2" }]);
  assert.deepEqual(await client(fetch).bulkFailures("J"), []);
  assert.deepEqual(
    requests.map(({ url }) => url.replace("https://images.example.com", "")),
    ["/v1/bulk/a%2Fb/outputs", "/v1/bulk/J/failures"],
  );
});

test("other lines are not given as those of a bulk", async () => {
  for (const answer of [reply([]), lines('{"name": "cut o')]) {
    const { fetch } = answering(answer);
    await assert.rejects(client(fetch).bulkOutputs("J"), { name: "StatusError", status: 200, message: /base URL/ });
  }
});

test("a picture of a bulk is found in its folders, and nowhere else", async () => {
  const { fetch, requests } = answering(image(new Uint8Array([7])));
  assert.deepEqual(await client(fetch).bulkOutput("J", "people/an na?.webp"), new Uint8Array([7]));
  assert.equal(requests[0].url, "https://images.example.com/v1/bulk/J/outputs/people/an%20na%3F.webp");
  for (const name of ["..", "../../../me", "a/./b"]) await assert.rejects(client(fetch).bulkOutput("J", name), TypeError);
  assert.equal(requests.length, 1);
});

test("the caller's headers have the last word", async () => {
  const { fetch, requests } = answering(reply(PICTURE));
  const headers = { "X-Request-Id": "mine", accept: "application/json;q=1" };
  await client(fetch).transform({ file: FILE, operations: [] }, { headers });
  assert.equal(requests[0].headers.get("x-request-id"), "mine");
  assert.equal(requests[0].headers.get("accept"), "application/json;q=1");
});

test("key and address come from the environment, and a key is needed", async (context) => {
  const before = { ...process.env };
  context.after(() => (process.env = before));
  delete process.env.IMAGEPLANE_KEY;
  delete process.env.IMAGEPLANE_BASE_URL;
  assert.throws(() => new Imageplane(), { name: "TypeError", message: /IMAGEPLANE_KEY/ });
  const { fetch, requests } = answering(reply({}));
  process.env.IMAGEPLANE_KEY = "ip_live_2";
  await new Imageplane({ fetch }).account();
  process.env.IMAGEPLANE_BASE_URL = "https://elsewhere.example";
  await new Imageplane({ fetch }).account();
  assert.equal(requests[0].headers.get("authorization"), "Bearer ip_live_2");
  assert.deepEqual(
    requests.map(({ url }) => url),
    ["http://127.0.0.1:8000/v1/me", "https://elsewhere.example/v1/me"],
  );
});
