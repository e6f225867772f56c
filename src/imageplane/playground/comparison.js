/** Photo and result in one frame, with a slider between them. */

import { bytesOf } from "./api.js";
import { element } from "./elements.js";
import { sidesOf, sizeOf } from "./words.js";

const SUFFIX = /^image\/([a-z0-9]+)/;

export function suffixOf(mimeType) {
  return SUFFIX.exec(mimeType)?.[1] ?? "bin";
}

/** Makes the figure of one picture.
 * Takes: the picture of a reply with its name; the photo as an <img> takes it and its size; the part of the photo that
 * the picture shows, where that is known; a name for the file. Gives the figure and what sets its memory free. */
export function comparison({ picture, shown, source, window: part, fileName }) {
  const url = URL.createObjectURL(bytesOf(picture));
  const frame = element("div", { class: "frame" });
  const { width_in_px: width, height_in_px: height } = picture;
  frame.style.width = `min(100%, ${width}px, ${(75 * width) / height}vh)`;
  frame.style.aspectRatio = `${width} / ${height}`;
  const title = picture.name ? `${picture.name}, ` : "";
  const after = element("img", { class: "after", src: url, alt: `Result: ${title}${sidesOf(picture)} pixels` });
  const before = beforeOf(shown, source, part);
  const slider = sliderFor(frame, picture.name);
  const note = element("p", { class: "hint", hidden: true });
  const cannot = (what) => () => {
    before.remove();
    slider.remove();
    frame.classList.add("alone");
    note.textContent = `Your browser can't show ${what}, so there is nothing to compare.`;
    note.hidden = false;
  };
  before.querySelector("img").addEventListener("error", cannot("the photo"));
  after.addEventListener("error", cannot(`pictures of the kind ${picture.mime_type}`));
  frame.append(after, before, element("span", { class: "divider", "aria-hidden": "true" }), slider);
  const facts = `${sidesOf(picture)}, ${sizeOf(picture.size_in_bytes)} of ${picture.mime_type}`;
  const download = element("a", { class: "button", href: url, download: fileName }, `Download ${picture.name || "the result"}`);
  const caption = element("figcaption", {}, element("span", {}, title, facts, savingOf(picture, source)), download);
  const figure = element("figure", { class: "comparison" }, frame, note, caption);
  return { figure, free: () => URL.revokeObjectURL(url) };
}

function beforeOf(shown, source, part) {
  const image = element("img", { src: shown, alt: "" });
  if (part) {
    // The whole photo, moved and enlarged until the frame holds just the part.
    image.classList.add("part");
    image.style.width = `${(100 * source.width_in_px) / part.width_in_px}%`;
    image.style.height = `${(100 * source.height_in_px) / part.height_in_px}%`;
    image.style.left = `${(-100 * part.left_in_px) / part.width_in_px}%`;
    image.style.top = `${(-100 * part.top_in_px) / part.height_in_px}%`;
  }
  return element("div", { class: "before", "aria-hidden": "true" }, image);
}

function sliderFor(frame, name) {
  const label = `How much of the photo lies over the result${name ? ` ${name}` : ""}`;
  const input = element("input", { type: "range", min: 0, max: 100, value: 50, class: "split", "aria-label": label });
  const set = () => {
    frame.style.setProperty("--split", `${input.value}%`);
    input.setAttribute("aria-valuetext", `${input.value}% photo, ${100 - input.value}% result`);
  };
  input.addEventListener("input", set);
  set();
  return input;
}

function savingOf(picture, source) {
  const ratio = picture.size_in_bytes / source.size_in_bytes;
  return ratio < 1 ? `, ${(100 * (1 - ratio)).toFixed(1)}% less than the photo` : "";
}
