/** An image that a bulk could not make, with the reason. */
export interface BulkFailure {
  name: string;
  /** As it is in the manifest, but for its query. */
  url: string;
  /** Where it is in the manifest. */
  line?: number;
  status: "failed";
  code: string;
  reason: string;
  tries?: number;
}

/** A picture that a bulk has made. */
export interface BulkOutput {
  name: string;
  size_in_bytes: number;
  /** A signed link, which opens it without a key for a while. */
  url: string;
}
