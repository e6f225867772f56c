import type { Base64File, FetchOptions, UrlFile } from "./types.js";

/** A file that is sent as it is, without the third more that base64 takes. */
export interface Upload {
  type: "upload";
  /** A hint only; the bytes decide. */
  name: string;
  data: Blob;
}

/** Where the picture is: with the server of a URL, in a base64 text, or here. */
export type Source = UrlFile | Base64File | Upload;

/** Give a file that the server fetches. */
export function fromUrl(url: string | URL, options: { name?: string; fetchOptions?: FetchOptions } = {}): UrlFile {
  return {
    type: "url",
    url: String(url),
    ...(options.name !== undefined && { name: options.name }),
    ...(options.fetchOptions && { fetch_options: options.fetchOptions }),
  };
}

/** Give a file of a form, a drop or a Blob. */
export function fromFile(file: Blob, name?: string): Upload {
  const own = "name" in file && typeof file.name === "string" ? file.name : undefined;
  // A part of a form without a name is a text.
  return { type: "upload", name: name || own || "image", data: file };
}

/** Give a file of bytes. */
export function fromBytes(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>, name?: string): Upload {
  return fromFile(new Blob([bytes]), name);
}

/** Give the bytes of a base64 text, such as the `buffer` of a reply. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
