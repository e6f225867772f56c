import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mock, test } from "node:test";
import { WebhookVerificationError, verifyWebhook } from "imageplane-client";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two characters").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another one of as many characters").toString("base64")}`;
const BODY = JSON.stringify({
  success: true,
  api: "image_transformation",
  data: { buffer: "AAEC", mime_type: "image/webp" },
  note: "é",
});
const NOW_IN_S = 1_764_000_000;

function signed(body = BODY, { secret = SECRET, id = "msg_1", at = NOW_IN_S } = {}) {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(at), "webhook-signature": `v1,${signature}` };
}

/** Verify as if it were another time. */
async function verify(body, headers, secrets = SECRET, { nowInS = NOW_IN_S, ...options } = {}) {
  const clock = mock.method(Date, "now", () => nowInS * 1000);
  try {
    return await verifyWebhook(body, headers, secrets, options);
  } finally {
    clock.mock.restore();
  }
}

// The example of the Standard Webhooks specification's own libraries.
test("the example of the standard is genuine", async () => {
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  const found = await verify('{"test": 2432232314}', headers, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
    nowInS: 1614265330,
  });
  assert.deepEqual(found, { test: 2432232314 });
});

test("a body may be a text or bytes, and headers as anyone has them", async () => {
  const headers = signed();
  const bytes = new TextEncoder().encode(BODY);
  const within = new Uint8Array([1, ...bytes, 2]).subarray(1, -1);
  for (const body of [BODY, bytes, within, bytes.buffer, Buffer.from(BODY)]) {
    assert.deepEqual(await verify(body, headers), JSON.parse(BODY));
  }
  const shouted = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  for (const each of [new Headers(headers), shouted]) assert.equal((await verify(BODY, each)).success, true);
});

test("one good signature of several is enough, and one known secret", async () => {
  const [mine, theirs] = [signed(), signed(BODY, { secret: OTHER })];
  const both = {
    ...mine,
    "webhook-signature": `v1a,AAAA v1,!!! ${theirs["webhook-signature"]} ${mine["webhook-signature"]}`,
  };
  assert.equal((await verify(BODY, both)).success, true);
  assert.equal((await verify(BODY, theirs, [SECRET, OTHER])).success, true);
});

test("what was changed is refused", async () => {
  const headers = signed();
  for (const [body, given, secrets] of [
    [`${BODY} `, headers, SECRET],
    [BODY, { ...headers, "webhook-id": "msg_2" }, SECRET],
    [BODY, { ...headers, "webhook-timestamp": String(NOW_IN_S + 1) }, SECRET],
    [BODY, { ...headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,") }, SECRET],
    [BODY, { ...headers, "webhook-signature": "v1," }, SECRET],
    [BODY, headers, OTHER],
    [BODY, headers, []],
  ]) {
    await assert.rejects(
      verify(body, given, secrets),
      (error) => error instanceof WebhookVerificationError && /signature/.test(error.message),
    );
  }
});

test("what is old, or from the future, is refused", async () => {
  for (const [ageInS, isTaken] of [
    [300, true],
    [301, false],
    [-300, true],
    [-301, false],
  ]) {
    const call = verify(BODY, signed(), SECRET, { nowInS: NOW_IN_S + ageInS });
    await (isTaken ? call : assert.rejects(call, { name: "WebhookVerificationError", message: /300 seconds/ }));
  }
  await verify(BODY, signed(), SECRET, { nowInS: NOW_IN_S + 301, toleranceInS: 400 });
  await assert.rejects(
    verifyWebhook(BODY, signed(), SECRET),
    WebhookVerificationError,
    "the clock of the machine counts, where no other is given",
  );
});

test("a header that is missing or makes no sense is named", async () => {
  for (const name of Object.keys(signed())) {
    const rest = { ...signed(), [name]: undefined };
    await assert.rejects(verify(BODY, rest), { name: "WebhookVerificationError", message: new RegExp(name) });
  }
  await assert.rejects(verify(BODY, { ...signed(), "webhook-timestamp": "now" }), { message: /webhook-timestamp/ });
});

test("a bad secret is refused, and not told", async () => {
  for (const secret of ["whsec_no base64!", "whsec_", "", "whsec_c2hvcnQ="]) {
    await assert.rejects(
      verify(BODY, signed(), secret),
      (error) => error instanceof WebhookVerificationError && !error.message.includes("no base64!"),
    );
  }
});
