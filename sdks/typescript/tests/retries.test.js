import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  ConflictError,
  Imageplane,
  ImageplaneError,
  NetworkError,
  RateLimitError,
  ServerError,
  StatusError,
  TimedOutError,
  fromBytes,
  fromUrl,
} from "imageplane-client";
import { answering, failure, reply, silence, withoutPauses } from "./server.js";

const REQUEST = { file: fromUrl("https://cdn.example.com/photo.jpg"), operations: [] };
const OK = reply({ success: true, data: {} });

function client(fetch, options = {}) {
  return new Imageplane({ apiKey: "ip_live_1", baseUrl: "https://images.example.com", fetch, ...options });
}

function breaking() {
  throw new TypeError("fetch failed");
}

const keys = (requests) => requests.map(({ headers }) => headers.get("idempotency-key"));

for (const [name, answer] of Object.entries({
  "a network that breaks": breaking,
  429: failure(429, "rate_limited"),
  503: failure(503, "busy"),
  504: failure(504, "deadline_exceeded"),
  "409 of a request that still runs": failure(409, "idempotency_in_progress"),
  "502 of a proxy": new Response("<html>", { status: 502 }),
})) {
  test(`after ${name} it is tried again, with the same key`, async (context) => {
    withoutPauses(context);
    const { fetch, requests } = answering(answer, answer, OK);
    await client(fetch).transform(REQUEST);
    assert.equal(requests.length, 3);
    assert.equal(new Set(keys(requests)).size, 1);
    assert.match(keys(requests)[0], /^[0-9a-f]{32}$/);
    assert.equal(new Set(requests.map(({ body }) => body)).size, 1);
  });
}

for (const [status, code] of [
  [400, "invalid_request"],
  [402, "insufficient_credits"],
  [409, "conflict"],
  [422, "undecodable_image"],
  [500, "internal_error"],
  [503, "model_unavailable"],
]) {
  test(`${status} ${code} is final`, async () => {
    const { fetch, requests } = answering(failure(status, code));
    await assert.rejects(client(fetch).transform(REQUEST), { status, code });
    assert.equal(requests.length, 1);
  });
}

test("the last failure is what the caller hears of", async (context) => {
  withoutPauses(context);
  const { fetch, requests } = answering(breaking, failure(503, "busy"));
  await assert.rejects(client(fetch, { maxRetries: 1 }).transform(REQUEST), ServerError);
  assert.equal(requests.length, 2);
});

test("another call has another key", async () => {
  const { fetch, requests } = answering(OK);
  const server = client(fetch);
  await Promise.all([server.transform(REQUEST), server.transform(REQUEST)]);
  assert.notEqual(...keys(requests));
});

test("the caller's own key is taken, and none is sent where nothing is tried again", async () => {
  const { fetch, requests } = answering(OK);
  await client(fetch).transform(REQUEST, { idempotencyKey: "upload-4711" });
  await client(fetch, { maxRetries: 0 }).transform(REQUEST);
  await client(fetch).job("J");
  assert.deepEqual(keys(requests), ["upload-4711", null, null]);
});

for (const verb of ["cancel", "replay", "redeliver"]) {
  test(`${verb} is sent again where nothing was begun, and not where it may have been`, async (context) => {
    withoutPauses(context);
    const busy = answering(failure(503, "busy"), OK);
    await client(busy.fetch)[verb]("J");
    assert.equal(busy.requests.length, 2);
    for (const answer of [breaking, failure(504, "deadline_exceeded")]) {
      const { fetch, requests } = answering(answer, OK);
      const headers = { "Idempotency-Key": "of no use here" };
      await assert.rejects(client(fetch)[verb]("J", { headers }), ImageplaneError);
      assert.equal(requests.length, 1);
    }
  });
}

test("pauses grow, with full jitter, behind what the server asks for", async (context) => {
  const pauses = withoutPauses(context);
  context.mock.method(Math, "random", () => 0.5);
  const inTwentySeconds = new Date(Date.now() + 20_000).toUTCString();
  const { fetch } = answering(
    failure(503, "busy"),
    failure(503, "busy"),
    failure(429, "rate_limited", { "retry-after": "7" }),
    failure(429, "rate_limited", { "retry-after": inTwentySeconds }),
    failure(503, "busy", { "retry-after": "soon" }),
    failure(503, "busy"),
    OK,
  );
  await client(fetch, { maxRetries: 6 }).transform(REQUEST);
  const dated = pauses.splice(3, 1)[0];
  assert.deepEqual(pauses, [0.25, 0.5, 8, 4, 4]);
  assert.ok(dated > 2 && dated <= 22, `${dated}`);
});

test("a pause that would go past the time limit is not made", async () => {
  const { fetch, requests } = answering(failure(429, "rate_limited", { "retry-after": "60" }));
  await assert.rejects(client(fetch, { timeoutInS: 10 }).transform(REQUEST), (error) => {
    assert.ok(error instanceof RateLimitError);
    assert.equal(error.retryAfterInS, 60);
    return true;
  });
  assert.equal(requests.length, 1);
});

test("a call ends when its time is over, without another attempt", async () => {
  const { fetch, requests } = answering(silence);
  await assert.rejects(client(fetch, { timeoutInS: 0.05 }).transform(REQUEST), TimedOutError);
  await assert.rejects(client(fetch).account({ timeoutInS: 0.05 }), {
    name: "TimedOutError",
    status: undefined,
    message: /0.05 seconds/,
  });
  assert.equal(requests.length, 2);
});

test("a body that never ends is ended too", async () => {
  const endless = ({ signal }) =>
    new Response(
      new ReadableStream({
        start: (controller) => signal.addEventListener("abort", () => controller.error(signal.reason)),
      }),
    );
  await assert.rejects(client(answering(endless).fetch, { timeoutInS: 0.05 }).account(), TimedOutError);
});

test("a time without end is no time of nothing", async () => {
  const slow = async ({ signal }) => (await setTimeout(20), signal.throwIfAborted(), OK.clone());
  await client(answering(slow).fetch, { timeoutInS: Infinity }).account();
});

test("the caller's signal ends a call with the caller's reason", async () => {
  const { fetch, requests } = answering(silence);
  const controller = new AbortController();
  const call = client(fetch).transform(REQUEST, { signal: controller.signal });
  const reason = new Error("nobody waits");
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  const already = client(fetch).transform(REQUEST, { signal: AbortSignal.abort() });
  await assert.rejects(already, { name: "AbortError" });
  assert.ok(requests.every(({ signal }) => signal.aborted));
});

test("the caller's signal ends a pause", async () => {
  const controller = new AbortController();
  const { fetch } = answering(
    () => (setImmediate(() => controller.abort()), failure(503, "busy", { "retry-after": "50" })),
  );
  await assert.rejects(client(fetch).transform(REQUEST, { signal: controller.signal }), { name: "AbortError" });
});

test("a form can be sent again", async (context) => {
  withoutPauses(context);
  const bodies = [];
  const reading =
    (answer) =>
    async ({ body }) => (bodies.push(await new Response(body).text()), answer);
  const { fetch } = answering(reading(failure(503, "busy")), reading(OK.clone()));
  await client(fetch).transform({ file: fromBytes(new TextEncoder().encode("picture"), "a.jpg"), operations: [] });
  assert.equal(bodies.length, 2);
  for (const body of bodies) assert.match(body, /picture/);
});

test("errors tell what the server told", async () => {
  const { fetch } = answering(failure(409, "conflict", { "x-request-id": "req_header" }));
  await assert.rejects(client(fetch).cancel("J"), (error) => {
    assert.ok(
      error instanceof ConflictError &&
        error instanceof StatusError &&
        error instanceof ImageplaneError &&
        error instanceof Error,
    );
    assert.deepEqual(
      [error.name, error.message, error.status, error.code, error.requestId],
      ["ConflictError", "It failed.", 409, "conflict", "req_1"],
    );
    assert.deepEqual(error.details, [{ path: "file", message: "bad" }]);
    return true;
  });
});

test("an error that is not of an Imageplane server has what can be known", async () => {
  const page = new Response("<html>", { status: 413, headers: { "x-request-id": "req_proxy" } });
  await assert.rejects(client(answering(page).fetch).account(), {
    name: "TooLargeError",
    status: 413,
    code: undefined,
    requestId: "req_proxy",
    details: [],
    message: "The server answered 413.",
  });
  await assert.rejects(client(answering(reply(null, 418)).fetch).account(), { name: "StatusError", status: 418 });
});

test("a network error keeps its cause", async () => {
  await assert.rejects(client(answering(breaking).fetch, { maxRetries: 0 }).account(), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.equal(error.cause.message, "fetch failed");
    return true;
  });
});
