/** What came of a run: pictures beside the photo, what was seen, sizes and times. */

import { bytesOf } from "./api.js";
import { comparison, suffixOf } from "./comparison.js";
import { byId, element } from "./elements.js";
import { sightings } from "./sightings.js";
import { sidesOf, sizeOf, timeOf } from "./words.js";

export class Result {
  #free = [];

  /** Shows a reply.
   * Takes: the reply, the photo and the request that it answers; how long it took; `remake`, which runs the first
   * operations of an output alone and gives their picture. */
  show({ reply, photo, wanted, elapsedInMs, remake }) {
    this.clear();
    const { data, metadata } = reply;
    const pictures = data.outputs ?? [{ ...data, name: "", metadata }];
    const { source } = metadata;
    byId("pictures").replaceChildren(...pictures.map((picture) => this.#compared(picture, photo, source)));
    this.#tellSightings(pictures, photo, source, remake);
    byId("facts").replaceChildren(...warningsOf(metadata), ...planOf(pictures), facts(pictures, metadata, elapsedInMs));
    byId("result-empty").hidden = true;
  }

  clear() {
    for (const free of this.#free) free();
    this.#free = [];
    for (const id of ["pictures", "sightings", "facts"]) byId(id).replaceChildren();
    byId("result-empty").hidden = false;
  }

  #compared(picture, photo, source) {
    const stem = (photo.name ?? "photo").replace(/\.[^.]*$/, "");
    const [crop] = picture.metadata.smart_crops;
    // Only where nothing came before it, its window is a place on the photo itself.
    const isOnPhoto = picture.metadata.smart_crops.length === 1 && crop.operation_index === 0;
    const { figure, free } = comparison({
      picture,
      shown: photo.shown,
      source,
      window: isOnPhoto ? crop.window : null,
      fileName: [stem, picture.name || "result"].join("-") + `.${suffixOf(picture.mime_type)}`,
    });
    this.#free.push(free);
    return figure;
  }

  #tellSightings(pictures, photo, source, remake) {
    const all = pictures.flatMap(({ name, metadata }, place) =>
      metadata.smart_crops.map((crop) => ({ output: name, place, crop })),
    );
    if (!all.length) return;
    const place = byId("sightings");
    place.append(element("h3", {}, "What it saw, and the window that it chose"));
    const onPhoto = all.filter(({ crop }) => crop.operation_index === 0);
    if (onPhoto.length) place.append(sightings(photo.shown, source, onPhoto));
    for (const later of all.filter(({ crop }) => crop.operation_index > 0)) place.append(this.#later(later, remake));
  }

  /** A crop that follows other operations looked at another picture than the photo; it is made only when asked for. */
  #later({ output, place, crop }, remake) {
    const number = crop.operation_index + 1;
    const words = `Show what operation ${number}${output ? ` of ${output}` : ""} saw (one more request)`;
    const holder = element("div");
    const ask = async () => {
      const picture = await remake(place, crop.operation_index);
      if (!picture) return;
      const url = URL.createObjectURL(bytesOf(picture));
      this.#free.push(() => URL.revokeObjectURL(url));
      holder.replaceChildren(sightings(url, picture, [{ output, crop }]));
    };
    holder.append(element("button", { type: "button", onclick: ask }, words));
    return holder;
  }
}

function warningsOf({ warnings }) {
  if (!warnings.length) return [];
  return [element("h3", {}, "Warnings"), element("ul", {}, ...warnings.map((each) => element("li", {}, each)))];
}

function planOf(pictures) {
  const plans = pictures.filter(({ metadata }) => metadata.plan?.length);
  if (!plans.length) return [];
  const lists = plans.map(({ name, metadata }) => [
    name ? element("h4", {}, name) : null,
    element("ol", { class: "plan" }, ...metadata.plan.map((line) => element("li", {}, line))),
  ]);
  return [element("h3", {}, "How it was done"), ...lists.flat().filter(Boolean)];
}

function facts(pictures, metadata, elapsedInMs) {
  const { source, timings_in_ms: timings, credits_charged: credits, request_id: requestId } = metadata;
  const stops = Object.entries(timings);
  const longest = Math.max(...stops.map(([, time]) => time), 0.001);
  const rows = stops.map(([stop, time]) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.width = `${Math.max(1, (100 * time) / longest)}%`;
    return element("tr", {}, element("th", { scope: "row" }, stop), element("td", {}, timeOf(time)), element("td", {}, bar));
  });
  const head = ["Stop", "Time", "Share"].map((name) => element("th", { scope: "col" }, name));
  const table = element(
    "table", {},
    element("caption", { class: "unseen" }, "Time at each stop of the server"),
    element("thead", { class: "unseen" }, element("tr", {}, ...head)),
    element("tbody", {}, ...rows),
  );
  const total = stops.reduce((sum, [, time]) => sum + time, 0);
  const said = [
    ["Photo", `${sidesOf(source)}, ${sizeOf(source.size_in_bytes)} of ${source.format}`],
    ["Result", pictures.map((each) => `${sidesOf(each)}, ${sizeOf(each.size_in_bytes)}`).join(" · ")],
    ["In the server", timeOf(total)],
    ["In all", timeOf(elapsedInMs)],
    ["Charged", `${credits} ${credits === 1 ? "credit" : "credits"}`],
    ["Request", requestId],
  ];
  const list = said.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("div", {}, element("h3", {}, "Sizes and times"), element("dl", {}, ...list), table);
}
