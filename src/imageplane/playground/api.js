/** One request to the server, and what comes of it. */

export class Failure extends Error {
  /** Takes: the places that are wrong, [{path, message}]; the status is 0 where there was no reply. */
  constructor(message, { status = 0, details = [], requestId = "" } = {}) {
    super(message);
    Object.assign(this, { status, details, requestId });
  }
}

/** Asks for a transform, and gives the reply and how long it took; an abort of the signal passes through. */
export async function transform(path, { photo, wanted, key, signal }) {
  const started = performance.now();
  const reply = await asked(path, { method: "POST", signal, ...message(photo, wanted, key) });
  return { reply, elapsedInMs: performance.now() - started };
}

/** Gives the account of a key. */
export async function accountOf(key) {
  return (await asked("v1/me", { headers: authorization(key) })).data;
}

export function bytesOf({ buffer, mime_type: type }) {
  const text = atob(buffer);
  return new Blob([Uint8Array.from(text, (each) => each.charCodeAt(0))], { type });
}

function message(photo, wanted, key) {
  if (photo.url) {
    const body = JSON.stringify({ file: { type: "url", url: photo.url }, ...wanted });
    return { headers: { ...authorization(key), "Content-Type": "application/json" }, body };
  }
  // As a form the bytes go as they are, where base64 would add a third.
  const body = new FormData();
  body.append("file", photo.blob, photo.name);
  for (const [name, value] of Object.entries(wanted)) body.append(name, JSON.stringify(value));
  return { headers: authorization(key), body };
}

function authorization(key) {
  // A header takes no other characters; the server will say that it knows no such key.
  return { Authorization: `Bearer ${key.replace(/[^\x21-\x7e]/g, "?")}` };
}

async function asked(path, options) {
  let answer, body;
  try {
    answer = await fetch(path, { credentials: "omit", ...options });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(answer ? "The server's reply can't be read." : "The server can't be reached.");
  }
  if (answer.ok) return body;
  const { error = `The server answered ${answer.status}.`, details, request_id: requestId } = body;
  const wait = answer.headers.get("Retry-After");
  throw new Failure(wait ? `${error} Try again in ${wait} s.` : error, { status: answer.status, details, requestId });
}
