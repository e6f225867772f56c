// Makes calls of the TypeScript client: one line of JSON in, one line of JSON out, until the input ends.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(`${process.argv[2]}/`);
const { Imageplane, StatusError, fromBytes } = await import(new URL("index.js", folder));

// What came over the wire last; of the body the client itself has to tell.
let wire;

async function fetching(url, init) {
  wire = await fetch(url, init);
  return wire;
}

/** Give what a caller learns of a call. */
async function told({ client, method, arguments: given, options }) {
  const server = new Imageplane({ ...client, fetch: fetching });
  try {
    const found = await server[method](...given, options);
    return { status: wire.status, body: found instanceof Uint8Array ? found : JSON.stringify(found) };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { message, status, code, details, requestId } = error;
    return { status, body: JSON.stringify({ success: false, error: message, code, details, request_id: requestId }) };
  }
}

function withUploads(_, value) {
  return value?.$upload === undefined ? value : fromBytes(Buffer.from(value.data, "base64"), value.$upload);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const order = JSON.parse(line, withUploads);
    const { status, body } = await told(order);
    answer = { status, headers: Object.fromEntries(wire.headers), body: Buffer.from(body).toString("base64") };
  } catch (error) {
    answer = { thrown: error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
