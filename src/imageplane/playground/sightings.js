/** What the server saw on the photo, and the windows that it chose: drawn over it, and said in words. */

import { drawing, element } from "./elements.js";

/** Makes the figure of the crops of one picture that all of them looked at.
 * Takes: the picture as an <img> takes it, its size, and crops as [{output, crop}]. */
export function sightings(shown, size, crops) {
  const { width_in_px: width, height_in_px: height } = size;
  const stage = element("div", { class: "stage" }, element("img", { src: shown, alt: "" }));
  stage.style.width = `min(100%, ${width}px, ${(70 * width) / height}vh)`;
  stage.style.aspectRatio = `${width} / ${height}`;
  const windows = crops.map(({ output, crop }, index) => windowOf(crop.window, output, index, size));
  const boxes = subjectsOf(crops).map((subject) => boxOf(subject, size));
  stage.append(
    drawing("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" }, ...boxes, ...windows),
  );
  const words = crops.map((each) => element("li", {}, sentenceOf(each)));
  return element("figure", { class: "sightings" }, stage, element("figcaption", {}, element("ul", {}, ...words)));
}

function sentenceOf({ output, crop }) {
  const { window: part, subjects, rule, fallback_reason: reason } = crop;
  const who = output ? `${output}, operation` : "Operation";
  const seen = subjects.map(({ kind, confidence }) => `${kind} (${Math.round(100 * confidence)}%)`).join(", ");
  const place = `${part.width_in_px} × ${part.height_in_px} at ${part.left_in_px}, ${part.top_in_px}`;
  const said = `${who} ${crop.operation_index + 1}: ${rule} decided, window ${place}. Seen: ${seen || "no subject"}.`;
  return reason ? `${said} (${reason})` : said;
}

/** One look serves several crops, so the same subject comes several times. */
function subjectsOf(crops) {
  const all = crops.flatMap(({ crop }) => crop.subjects);
  return [...new Map(all.map((subject) => [JSON.stringify(subject), subject])).values()];
}

function rectangle({ left_in_px: x, top_in_px: y, width_in_px: width, height_in_px: height }, name) {
  return drawing("rect", { x, y, width, height, class: name });
}

function windowOf(part, output, index, size) {
  const group = drawing("g", { class: `window window-${index % 3}` }, rectangle(part, "casing"), rectangle(part, "line"));
  if (output) group.append(label(output, part, size, index + 1));
  return group;
}

function boxOf({ kind, confidence, box }, size) {
  const words = `${kind} ${Math.round(100 * confidence)}%`;
  return drawing("g", { class: "subject" }, rectangle(box, "casing"), rectangle(box, "line"), label(words, box, size, 0));
}

/** Writes beside the upper left corner of a box, as large on every photo. */
function label(words, box, { width_in_px: width, height_in_px: height }, row) {
  const unit = Math.max(width, height) / 45;
  const x = Math.max(0, box.left_in_px) + unit / 3;
  const y = Math.min(height - unit / 2, Math.max(0, box.top_in_px) + unit * (1.1 + 1.2 * Math.max(0, row - 1)));
  return drawing("text", { x, y, "font-size": unit }, words);
}
