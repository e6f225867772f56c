import type { Source, Upload } from "./file.js";
import type { Call } from "./transport.js";
import type { OperationsRequest, OutputsRequest } from "./types.js";

type ForLater = "webhook_url" | "delivery";
/** One picture: what is made of a file by a list of operations. */
export type OnePicture = Omit<OperationsRequest, "file" | ForLater> & { file: Source };
/** Several pictures of one file. */
export type SeveralPictures = Omit<OutputsRequest, "file" | ForLater> & { file: Source };
/** What is to be made later, and where it is sent. */
export type Order = (OnePicture | SeveralPictures) & Pick<OperationsRequest, ForLater>;

const TRANSFORM = "/image-transformation/v1/transform";

/** Throw TypeError for what belongs to `submit`. */
export function refuseWebhook(request: object): void {
  if ("webhook_url" in request && request.webhook_url != null) {
    throw new TypeError("A request with a webhook_url is answered later: hand it to submit.");
  }
}

/** Give the call for pictures: a form where the file is here, and needs no base64, JSON otherwise. */
export function transforming(
  request: OnePicture | SeveralPictures,
  accept: string,
  others: Readonly<Record<string, string>> = {},
): Call {
  const { file } = request;
  const call = { method: "POST", path: TRANSFORM, takesKey: true } as const;
  const headers = { accept, ...others };
  if (isUpload(file)) return { ...call, headers, body: formOf(file, request) };
  return { ...call, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(request) };
}

function isUpload(file: Source): file is Upload {
  return (file as Source | undefined)?.type === "upload";
}

function formOf(file: Upload, request: object): FormData {
  const form = new FormData();
  form.append("file", file.data, file.name);
  for (const [name, value] of Object.entries(request)) {
    if (name === "file" || value === undefined || value === null) continue;
    form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return form;
}

export function jobPath(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

export function bulkPath(id: string): string {
  return `/v1/bulk/${encodeURIComponent(id)}`;
}

/** Give the path of an output in its folders. Throws TypeError for a name that would lead elsewhere. */
export function namePath(name: string): string {
  const parts = name.split("/");
  // Fetch would make another address of it.
  if (parts.includes(".") || parts.includes("..")) {
    throw new TypeError("No output of a bulk has a name with . or .. for a folder.");
  }
  return parts.map(encodeURIComponent).join("/");
}

export function queryOf(fields: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}
