// A fetch that answers as a test wants, and keeps what it was sent.

/** Answer with each of these in turn, and with the last one for all that follow. */
export function answering(...answers) {
  const requests = [];
  const fetch = async (url, init) => {
    requests.push({ url, ...init });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return typeof answer === "function" ? answer(init) : answer.clone();
  };
  return { fetch, requests };
}

export function reply(body, status = 200, headers = {}) {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
}

export function failure(status, code, headers = {}) {
  return reply(
    { success: false, error: "It failed.", code, details: [{ path: "file", message: "bad" }], request_id: "req_1" },
    status,
    headers,
  );
}

export function image(bytes) {
  return new Response(bytes, { headers: { "content-type": "image/webp" } });
}

/** Never answer, until the signal of the request. */
export function silence({ signal }) {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
  });
}

/** Make pauses pass at once for a test, and give their lengths. */
export function withoutPauses(context) {
  const pauses = [];
  const real = globalThis.setTimeout;
  context.mock.method(globalThis, "setTimeout", (done, durationInMs, ...rest) => {
    // The time limits of calls are longer than any pause.
    if (durationInMs > 60_000) return real(done, durationInMs, ...rest);
    pauses.push(durationInMs / 1000);
    return real(done, 0, ...rest);
  });
  return pauses;
}
