import type { BulkFailure, BulkOutput } from "./bulk.js";
import { bulkPath, jobPath, namePath, queryOf, refuseWebhook, transforming } from "./calls.js";
import type { OnePicture, Order, SeveralPictures } from "./calls.js";
import { JobFailedError, StatusError } from "./errors.js";
import { Clock, Transport, type Call, type CallOptions, type Reply, type TransformOptions } from "./transport.js";
import type {
  AcceptedReply,
  AccountReply,
  BulkRequest,
  DeliveriesReply,
  DeliveryReply,
  Job,
  JobReply,
  JobsReply,
  OutputsReply,
  PictureReply,
  TransformReply,
  UsageReply,
  WebhookSecretsReply,
} from "./types.js";

export interface ImageplaneOptions {
  /** IMAGEPLANE_KEY of the environment, where it is left out. */
  apiKey?: string;
  /** The address of the server; IMAGEPLANE_BASE_URL or http://127.0.0.1:8000, where it is left out. */
  baseUrl?: string;
  /** How long a call may take, with all its attempts and pauses; 120 where it is left out. */
  timeoutInS?: number;
  /** How often a call is tried again; 2 where it is left out. */
  maxRetries?: number;
  /** In place of the fetch of the runtime. */
  fetch?: typeof globalThis.fetch;
}

export interface JobsQuery {
  status?: Job["status"];
  /** Only those before this id: the `next` of another page. */
  before?: string;
  limit?: number;
}

export interface UsageQuery {
  /** The first day, such as 2026-11-01. */
  since?: string;
  /** The last day. */
  until?: string;
}

const LINES = "application/jsonl";
const FIRST_LOOK_IN_S = 0.25;
const LONGEST_LOOK_IN_S = 5;

/**
 * A server of Imageplane, as the owner of a key sees it.
 *
 * Every method gives the reply of the server as it is, unless it says otherwise, and throws ImageplaneError.
 */
export class Imageplane {
  readonly #transport: Transport;

  constructor(options: ImageplaneOptions = {}) {
    const apiKey = options.apiKey ?? environment("IMAGEPLANE_KEY");
    if (!apiKey) throw new TypeError("There is no API key: give apiKey, or set IMAGEPLANE_KEY.");
    const baseUrl = options.baseUrl ?? environment("IMAGEPLANE_BASE_URL") ?? "http://127.0.0.1:8000";
    this.#transport = new Transport({
      apiKey,
      baseUrl: baseUrl.replace(/\/+$/, ""),
      timeoutInS: options.timeoutInS ?? 120,
      maxRetries: options.maxRetries ?? 2,
      fetch: options.fetch ?? globalThis.fetch,
    });
  }

  /** Make one picture or several, each as base64 in `buffer`. */
  transform(request: OnePicture, options?: TransformOptions): Promise<PictureReply>;
  transform(request: SeveralPictures, options?: TransformOptions): Promise<OutputsReply>;
  async transform(request: OnePicture | SeveralPictures, options?: TransformOptions): Promise<TransformReply> {
    refuseWebhook(request);
    return this.#json(transforming(request, "application/json"), options);
  }

  /** Make one picture, and give its bytes. */
  async transformToBytes(request: OnePicture, options?: TransformOptions): Promise<Uint8Array<ArrayBuffer>> {
    refuseWebhook(request);
    return this.#image(transforming(request, "image/*"), options);
  }

  /** Have pictures made later, by a job. */
  submit(order: Order, options?: TransformOptions): Promise<AcceptedReply> {
    return this.#json(transforming(order, "application/json", { prefer: "respond-async" }), options);
  }

  /** Tell what became of a job. */
  job(id: string, options?: CallOptions): Promise<JobReply> {
    return this.#json({ method: "GET", path: jobPath(id) }, options);
  }

  /** Tell what jobs there are, the latest first. */
  jobs(query: JobsQuery = {}, options?: CallOptions): Promise<JobsReply> {
    return this.#json({ method: "GET", path: `/v1/jobs${queryOf({ ...query })}` }, options);
  }

  /** Give a job once it has succeeded, within 300 seconds unless told otherwise. Throws JobFailedError. */
  async wait(id: string, options: CallOptions = {}): Promise<JobReply> {
    const clock = new Clock(options.timeoutInS ?? 300, options.signal);
    try {
      for (let look = 0; ; look += 1) {
        const reply = await this.job(id, { ...options, timeoutInS: undefined, signal: clock.signal });
        if (reply.data.status === "succeeded") return reply;
        if (reply.data.status === "failed" || reply.data.status === "cancelled") throw new JobFailedError(reply.data);
        await clock.sleep(Math.min(LONGEST_LOOK_IN_S, FIRST_LOOK_IN_S * 1.5 ** look));
      }
    } finally {
      clock.stop();
    }
  }

  /** Give the reply that a caller who had waited would have got. */
  result(id: string, options?: CallOptions): Promise<TransformReply> {
    return this.#json({ method: "GET", path: `${jobPath(id)}/result` }, options);
  }

  /** Give the bytes of one picture of a job; its only one is called `image`. */
  async output(id: string, name = "image", options?: CallOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#image({ method: "GET", path: `${jobPath(id)}/outputs/${encodeURIComponent(name)}` }, options);
  }

  /** End a job that has not ended; its credits are given back. */
  cancel(id: string, options?: CallOptions): Promise<JobReply> {
    return this.#json({ method: "POST", path: `${jobPath(id)}/cancel` }, options);
  }

  /** Do a job that has ended once more, for the same price. */
  replay(id: string, options?: CallOptions): Promise<JobReply> {
    return this.#json({ method: "POST", path: `${jobPath(id)}/replay` }, options);
  }

  /** Hand in a bulk, the same for every image of a manifest: a job, whose `items` tell how far it is. */
  submitBulk(request: BulkRequest, options?: TransformOptions): Promise<AcceptedReply> {
    const headers = { accept: "application/json", "content-type": "application/json" };
    const body = JSON.stringify(request);
    return this.#json({ method: "POST", path: "/v1/bulk", takesKey: true, headers, body }, options);
  }

  /** Tell which images of a bulk have failed so far, and why. */
  bulkFailures(id: string, options?: CallOptions): Promise<BulkFailure[]> {
    return this.#lines({ method: "GET", path: `${bulkPath(id)}/failures` }, options);
  }

  /** Tell what pictures a bulk has made so far, each with a signed link to it. */
  bulkOutputs(id: string, options?: CallOptions): Promise<BulkOutput[]> {
    return this.#lines({ method: "GET", path: `${bulkPath(id)}/outputs` }, options);
  }

  /** Give the bytes of one picture of a bulk; `name` is that of one of its outputs. */
  async bulkOutput(id: string, name: string, options?: CallOptions): Promise<Uint8Array<ArrayBuffer>> {
    return this.#image({ method: "GET", path: `${bulkPath(id)}/outputs/${namePath(name)}` }, options);
  }

  /** Tell what became of the webhooks of a job, attempt by attempt, the latest first. */
  deliveries(id: string, options?: CallOptions): Promise<DeliveriesReply> {
    return this.#json({ method: "GET", path: `${jobPath(id)}/deliveries` }, options);
  }

  /** Send a webhook again at once, under the same `webhook-id`. */
  redeliver(deliveryId: string, options?: CallOptions): Promise<DeliveryReply> {
    return this.#json({ method: "POST", path: `/v1/deliveries/${encodeURIComponent(deliveryId)}/redeliver` }, options);
  }

  /** Tell whose key this is, and how many credits are left. */
  account(options?: CallOptions): Promise<AccountReply> {
    return this.#json({ method: "GET", path: "/v1/me" }, options);
  }

  /** Tell what was used, by day and key. */
  usage(query: UsageQuery = {}, options?: CallOptions): Promise<UsageReply> {
    return this.#json({ method: "GET", path: `/v1/usage${queryOf({ ...query })}` }, options);
  }

  /** Tell what webhooks are signed with now, the current secret first. */
  webhookSecrets(options?: CallOptions): Promise<WebhookSecretsReply> {
    return this.#json({ method: "GET", path: "/v1/webhooks/secrets" }, options);
  }

  /** Sign with a new secret from now on, and for a day with the one before too. */
  rotateWebhookSecret(options?: CallOptions): Promise<WebhookSecretsReply> {
    return this.#json({ method: "POST", path: "/v1/webhooks/secrets/rotate" }, options);
  }

  async #json<Body>(call: Call, options?: TransformOptions): Promise<Body> {
    const reply = await this.#transport.send(call, options);
    try {
      return JSON.parse(new TextDecoder().decode(reply.bytes)) as Body;
    } catch (cause) {
      throw unexpected(reply, "JSON", cause);
    }
  }

  async #lines<Line>(call: Call, options?: CallOptions): Promise<Line[]> {
    const reply = await this.#transport.send(call, options);
    if (!reply.headers.get("content-type")?.startsWith(LINES)) throw unexpected(reply, LINES);
    try {
      const lines = new TextDecoder().decode(reply.bytes).split("\n");
      return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Line);
    } catch (cause) {
      throw unexpected(reply, "JSON", cause);
    }
  }

  async #image(call: Call, options?: TransformOptions): Promise<Uint8Array<ArrayBuffer>> {
    const reply = await this.#transport.send(call, options);
    if (!reply.headers.get("content-type")?.startsWith("image/")) throw unexpected(reply, "image");
    return reply.bytes;
  }
}

/** Give the error of a reply from something that only looks like a server of Imageplane. */
function unexpected({ status, headers }: Reply, wanted: string, cause?: unknown): StatusError {
  const requestId = headers.get("x-request-id") ?? undefined;
  return new StatusError(`The reply has no ${wanted}: is the base URL that of an Imageplane server?`, {
    status,
    requestId,
    cause,
  });
}

function environment(name: string): string | undefined {
  // Browsers and some edges have no such thing.
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name];
}
