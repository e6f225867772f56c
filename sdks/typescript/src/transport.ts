import { NetworkError, StatusError, TimedOutError, errorOf } from "./errors.js";

/** What may be said of one call. */
export interface CallOptions {
  /** Ends the call; it rejects with the reason of the signal. */
  signal?: AbortSignal;
  /** How long the call may take, with all its attempts and pauses. */
  timeoutInS?: number;
  /** Sent beside the client's own headers, or in their place. */
  headers?: Readonly<Record<string, string>>;
}

/** What may be said of a call that has pictures made. */
export interface TransformOptions extends CallOptions {
  /** A word in place of a random one: the same word with the same request gets the same reply for a day. */
  idempotencyKey?: string;
}

/** One request, without how it is sent. */
export interface Call {
  method: "GET" | "POST";
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | FormData;
  /** Whether it takes an idempotency key, with which it may be sent twice and is done once. */
  takesKey?: boolean;
}

export interface Reply {
  status: number;
  headers: Headers;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface TransportOptions {
  baseUrl: string;
  apiKey: string;
  timeoutInS: number;
  maxRetries: number;
  fetch: typeof globalThis.fetch;
}

const FIRST_PAUSE_IN_S = 0.5;
const LONGEST_PAUSE_IN_S = 8;
// A timer for longer than this fires at once.
const LONGEST_TIMER_IN_MS = 2 ** 31 - 1;
// Nothing was begun, so that nothing can be done twice.
const NOT_BEGUN = new Set([429, 503]);
const STATUSES_THAT_PASS = new Set([408, 429, 502, 503, 504]);
const CODES_THAT_PASS = new Set(["rate_limited", "busy", "deadline_exceeded", "idempotency_in_progress"]);

/** Sends calls, and sends them again where that is safe and may help. */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Give a reply of success. Throws the error of the last attempt, or the reason of the caller's signal. */
  async send(call: Call, options: TransformOptions = {}): Promise<Reply> {
    const headers = this.#headersOf(call, options);
    const isSafe = call.method === "GET" || (call.takesKey === true && headers.has("idempotency-key"));
    const clock = new Clock(options.timeoutInS ?? this.#options.timeoutInS, options.signal);
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await this.#attempt(call, headers, clock);
        } catch (error) {
          clock.check();
          if (attempt >= this.#options.maxRetries || !mayPass(error, isSafe)) throw error;
          const pauseInS = pauseBehind(attempt, error instanceof StatusError ? error.retryAfterInS : 0);
          if (pauseInS >= clock.leftInS) throw error;
          await clock.sleep(pauseInS);
        }
      }
    } finally {
      clock.stop();
    }
  }

  async #attempt(call: Call, headers: Headers, clock: Clock): Promise<Reply> {
    const { fetch, baseUrl } = this.#options;
    const init: RequestInit = { method: call.method, headers, signal: clock.signal };
    if (call.body !== undefined) init.body = call.body;
    let reply: Reply;
    try {
      const response = await fetch(baseUrl + call.path, init);
      reply = {
        status: response.status,
        headers: response.headers,
        bytes: new Uint8Array(await response.arrayBuffer()),
      };
    } catch (cause) {
      throw new NetworkError("The server could not be reached, or its reply broke off.", { cause });
    }
    if (reply.status < 200 || reply.status > 299) throw errorOf(reply.status, reply.headers, reply.bytes);
    return reply;
  }

  #headersOf(call: Call, options: TransformOptions): Headers {
    const headers = new Headers({ authorization: `Bearer ${this.#options.apiKey}`, ...call.headers });
    // A server goes on working for whoever has a key and may come back: one is sent only where there may be a retry.
    const key = options.idempotencyKey ?? (this.#options.maxRetries > 0 ? newKey() : undefined);
    if (call.takesKey && key !== undefined) headers.set("idempotency-key", key);
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    return headers;
  }
}

/** Give a random word; pages without https have no `crypto.randomUUID`. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Tell whether the same call may fare better, and does no harm. */
function mayPass(error: unknown, isSafe: boolean): boolean {
  if (error instanceof NetworkError) return isSafe;
  if (!(error instanceof StatusError)) return false;
  const { status = 0, code } = error;
  // The code knows better than the status whether it is worth a try: a missing model is 503 too.
  const passes = code === undefined ? STATUSES_THAT_PASS.has(status) : CODES_THAT_PASS.has(code);
  return passes && (isSafe || NOT_BEGUN.has(status));
}

/** Give a pause of full jitter (Brooker, "Exponential Backoff and Jitter"), behind what the server asks for. */
function pauseBehind(attempt: number, retryAfterInS = 0): number {
  return retryAfterInS + Math.random() * Math.min(LONGEST_PAUSE_IN_S, FIRST_PAUSE_IN_S * 2 ** attempt);
}

/** The time that a call has, and the caller's wish to end it, as one signal. */
export class Clock {
  readonly #controller = new AbortController();
  readonly #callers: AbortSignal | undefined;
  readonly #timeoutInS: number;
  readonly #endsAt: number;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(timeoutInS: number, callers?: AbortSignal) {
    this.#timeoutInS = timeoutInS;
    this.#callers = callers;
    this.#endsAt = performance.now() + timeoutInS * 1000;
    this.#timer = setTimeout(this.#end, Math.min(timeoutInS * 1000, LONGEST_TIMER_IN_MS));
    callers?.addEventListener("abort", this.#end, { once: true });
    if (callers?.aborted) this.#end();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get leftInS(): number {
    return (this.#endsAt - performance.now()) / 1000;
  }

  /** Throw when the time is over or the caller wishes no more. */
  check(): void {
    this.#controller.signal.throwIfAborted();
  }

  /** Wait, unless it ends before. */
  async sleep(durationInS: number): Promise<void> {
    this.check();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(durationInS * 1000, LONGEST_TIMER_IN_MS));
      this.signal.addEventListener("abort", done);
    });
    this.check();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#callers?.removeEventListener("abort", this.#end);
  }

  readonly #end = (): void => {
    const isWish = this.#callers?.aborted;
    const timedOut = new TimedOutError(`It was not done within ${this.#timeoutInS} seconds.`);
    this.#controller.abort(isWish ? this.#callers?.reason : timedOut);
  };
}
