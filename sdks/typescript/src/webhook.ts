import { WebhookVerificationError } from "./errors.js";
import { bytesOf } from "./file.js";
import type { NamedPicture, OutputsReply, Picture, PictureReply } from "./types.js";

/** A picture where the job was asked for with `delivery: "link"`. */
export type Linked<Each extends Picture | NamedPicture> = Omit<Each, "buffer"> & { url: string };

interface Transformed {
  api: "image_transformation";
}

/** What a webhook says. */
export type WebhookEvent =
  | (PictureReply & Transformed)
  | (OutputsReply & Transformed)
  | (Omit<PictureReply, "data"> & Transformed & { data: Linked<Picture> })
  | (Omit<OutputsReply, "data"> & Transformed & { data: { outputs: Linked<NamedPicture>[] } })
  | { success: true; api: "bulk"; data: { total: number; done: number; failed: number } }
  | { success: false; api: string; error: { message: string } };

/** Headers as fetch, Express or Node have them. */
export type HeadersLike = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookOptions {
  /** How old, or far in the future, a message may be. */
  toleranceInS?: number;
}

const VERSION = "v1,";
const FEWEST_BYTES = 24;
const MOST_BYTES = 64;

/**
 * Give what a webhook says, once it is sure that it comes from the server, whole and fresh.
 *
 * Takes the body exactly as it came, and every secret that may have signed it.
 *
 * Method: Standard Webhooks 1.0: HMAC-SHA256 of id, moment and body. Throws WebhookVerificationError.
 */
export async function verifyWebhook(
  body: string | Uint8Array | ArrayBuffer,
  headers: HeadersLike,
  secrets: string | readonly string[],
  options: WebhookOptions = {},
): Promise<WebhookEvent> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signature = headerOf(headers, "webhook-signature");
  checkMoment(timestamp, options);
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  const given = signature
    .split(" ")
    .filter((part) => part.startsWith(VERSION))
    .map((part) => bytesIfAny(part.slice(VERSION.length)));
  for (const secret of [secrets].flat()) {
    const key = await crypto.subtle.importKey("raw", keyOf(secret), { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]);
    for (const each of given) {
      if (await crypto.subtle.verify("HMAC", key, each, signed)) return JSON.parse(new TextDecoder().decode(bytes));
    }
  }
  throw new WebhookVerificationError("No signature of the message is right.");
}

function headerOf(headers: HeadersLike, name: string): string {
  const found =
    typeof headers.get === "function"
      ? (headers as Headers).get(name)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  if (typeof found !== "string" || found === "")
    throw new WebhookVerificationError(`The message has no header ${name}.`);
  return found;
}

function checkMoment(timestamp: string, { toleranceInS = 300 }: WebhookOptions): void {
  if (!/^\d{1,12}$/.test(timestamp))
    throw new WebhookVerificationError("The header webhook-timestamp is no number of seconds.");
  const ageInS = Date.now() / 1000 - Number(timestamp);
  if (ageInS > toleranceInS)
    throw new WebhookVerificationError(`The message is more than ${toleranceInS} seconds old.`);
  if (-ageInS > toleranceInS)
    throw new WebhookVerificationError(`The message is more than ${toleranceInS} seconds in the future.`);
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const key = bytesIfAny(secret.replace(/^whsec_/, ""));
  if (key.length >= FEWEST_BYTES && key.length <= MOST_BYTES) return key;
  // The secret itself is for no message.
  throw new WebhookVerificationError(
    `A webhook secret is whsec_ and the base64 of ${FEWEST_BYTES} to ${MOST_BYTES} bytes; this one is not.`,
  );
}

function bytesIfAny(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return bytesOf(base64);
  } catch {
    return new Uint8Array();
  }
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}
