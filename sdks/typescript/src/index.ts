export type * from "./bulk.js";
export type { OnePicture, Order, SeveralPictures } from "./calls.js";
export * from "./client.js";
export * from "./errors.js";
export { bytesOf, fromBytes, fromFile, fromUrl, type Source, type Upload } from "./file.js";
export type { CallOptions, TransformOptions } from "./transport.js";
export type * from "./types.js";
export * from "./webhook.js";
