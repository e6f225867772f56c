import assert from "node:assert/strict";
import { test } from "node:test";
import { Imageplane, JobFailedError, TimedOutError } from "imageplane-client";
import { answering, failure, reply, withoutPauses } from "./server.js";

const job = (status, error = null) => reply({ success: true, data: { id: "J", status, error, request_id: "req_7" } });

function client(fetch) {
  return new Imageplane({ apiKey: "ip_live_1", fetch });
}

test("a job is looked at, ever less often, until it has succeeded", async (context) => {
  const pauses = withoutPauses(context);
  const { fetch, requests } = answering(...Array(20).fill(job("running")), job("succeeded"));
  const found = await client(fetch).wait("J");
  assert.equal(found.data.status, "succeeded");
  assert.equal(requests.length, 21);
  assert.deepEqual(pauses.slice(0, 3), [0.25, 0.375, 0.5625]);
  assert.equal(pauses.at(-1), 5);
});

test("a look that fails for now is made again", async (context) => {
  withoutPauses(context);
  const { fetch } = answering(failure(503, "busy"), job("succeeded"));
  assert.equal((await client(fetch).wait("J")).data.status, "succeeded");
});

test("a job that has failed says why", async () => {
  const failed = job("failed", {
    message: "The image is damaged.",
    code: "undecodable_image",
    details: [{ path: "file", message: "bad" }],
  });
  await assert.rejects(client(answering(failed).fetch).wait("J"), (error) => {
    assert.ok(error instanceof JobFailedError);
    assert.deepEqual(
      [error.message, error.code, error.requestId, error.details.length],
      ["The image is damaged.", "undecodable_image", "req_7", 1],
    );
    assert.equal(error.job.id, "J");
    return true;
  });
});

test("so does one that was cancelled", async () => {
  await assert.rejects(client(answering(job("cancelled")).fetch).wait("J"), {
    name: "JobFailedError",
    code: "cancelled",
  });
});

test("waiting ends when its time is over, or the caller says so", async () => {
  const server = client(answering(job("queued")).fetch);
  await assert.rejects(
    server.wait("J", { timeoutInS: 0.1 }),
    (error) => error instanceof TimedOutError && /0\.1 seconds/.test(error.message),
  );
  await assert.rejects(server.wait("J", { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
});
