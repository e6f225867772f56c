import type { ErrorReply, Fault, Job } from "./types.js";

/** What there is to know of an error beside its sentence. */
export interface ErrorFacts {
  status?: number;
  code?: string;
  requestId?: string;
  details?: readonly Fault[];
  cause?: unknown;
}

/** Everything that goes wrong between a caller and the server; the reason of a caller's own signal is none of these. */
export class ImageplaneError extends Error {
  /** The status of the reply, where there was one. */
  readonly status: number | undefined;
  /** What went wrong, for programs, such as `rate_limited`. */
  readonly code: string | undefined;
  /** What the server calls the request, in its logs too. */
  readonly requestId: string | undefined;
  /** Every wrong place in the request. */
  readonly details: readonly Fault[];

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId;
    this.details = facts.details ?? [];
  }
}

/** No reply came, or it broke off. */
export class NetworkError extends ImageplaneError {}
/** The time that the caller gave was over. */
export class TimedOutError extends ImageplaneError {}
/** A webhook that is not to be believed. */
export class WebhookVerificationError extends ImageplaneError {}

/** The server answered, and not with what was asked for: the families below, or a status that is in none of them. */
export class StatusError extends ImageplaneError {
  /** How long the server asks to wait. */
  readonly retryAfterInS: number | undefined;

  constructor(message: string, facts: ErrorFacts & { retryAfterInS?: number } = {}) {
    super(message, facts);
    this.retryAfterInS = facts.retryAfterInS;
  }
}

/** 400: a missing or bad field, or a file that the server can't get or does not read. */
export class BadRequestError extends StatusError {}
/** 401: the key is missing, unknown, revoked or expired. */
export class AuthenticationError extends StatusError {}
/** 402: too few credits, or the key's own budget cap. */
export class PaymentRequiredError extends StatusError {}
/** 403: the key is good, but may not do this. */
export class PermissionDeniedError extends StatusError {}
/** 404: there is nothing of this name. */
export class NotFoundError extends StatusError {}
/** 409: not as things stand, such as to cancel a job that has ended. */
export class ConflictError extends StatusError {}
/** 413: more bytes, pixels or frames than the server takes. */
export class TooLargeError extends StatusError {}
/** 422: it can't be done with this image. */
export class UnprocessableError extends StatusError {}
/** 429: too many requests in a minute. */
export class RateLimitError extends StatusError {}
/** 500 and above: busy, out of time, or at fault. */
export class ServerError extends StatusError {}

/** A job that was waited for has failed, or was cancelled. */
export class JobFailedError extends ImageplaneError {
  readonly job: Job;

  constructor(job: Job) {
    const { message, code, details } = job.error ?? { message: `The job was ${job.status}.`, code: job.status };
    super(message, { code, requestId: job.request_id, details });
    this.job = job;
  }
}

const FAMILIES: Readonly<Record<number, typeof StatusError>> = {
  400: BadRequestError,
  401: AuthenticationError,
  402: PaymentRequiredError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  413: TooLargeError,
  422: UnprocessableError,
  429: RateLimitError,
};

/** Give the error that a reply tells of, whoever wrote it: a page of a proxy has no code. */
export function errorOf(status: number, headers: Headers, body: Uint8Array): StatusError {
  const said = errorReplyIn(body);
  const family = FAMILIES[status] ?? (status >= 500 ? ServerError : StatusError);
  return new family(said?.error ?? `The server answered ${status}.`, {
    status,
    code: said?.code,
    requestId: said?.request_id ?? headers.get("x-request-id") ?? undefined,
    details: said?.details,
    retryAfterInS: retryAfterOf(headers.get("retry-after")),
  });
}

function errorReplyIn(body: Uint8Array): Partial<ErrorReply> | undefined {
  try {
    const said: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof (said as ErrorReply | null)?.error === "string" ? (said as Partial<ErrorReply>) : undefined;
  } catch {
    return undefined;
  }
}

/** Give the seconds of a Retry-After, which has them as they are or as a date (RFC 9110, 10.2.3). */
function retryAfterOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
