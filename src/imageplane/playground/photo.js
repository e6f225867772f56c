/** The photo: dropped, pasted, chosen, fetched from the web, or drawn here. */

import { byId, tell } from "./elements.js";
import { sampleDrawing } from "./sample.js";
import { sizeOf } from "./words.js";

export class Photo extends EventTarget {
  /** null, or {blob, name, shown} of a file, or {url, shown}; `shown` is what an <img> takes. */
  current = null;
  #drop = byId("drop");
  #announce;

  constructor(announce) {
    super();
    this.#announce = announce;
    const chosen = byId("photo-file");
    chosen.addEventListener("change", () => this.#useChosen(chosen));
    byId("photo-sample").addEventListener("click", () => this.use(sampleDrawing(), "sample.jpg"));
    byId("photo-url-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#fetch(byId("photo-url").value.trim());
    });
    byId("photo-preview").addEventListener("load", ({ target }) => this.#describe(target));
    byId("photo-preview").addEventListener("error", ({ target }) => {
      target.hidden = true;
      this.#describe(null);
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length) this.#useFirst(event.clipboardData.files);
    });
    this.#dropping();
  }

  use(blob, name) {
    this.#set({ blob, name, shown: URL.createObjectURL(blob) });
  }

  /** Says what is wrong with the photo, and gives what to focus. */
  refuse(sentence) {
    tell(byId("photo-error"), sentence);
    const control = this.current?.url ? byId("photo-url") : byId("photo-file");
    control.setAttribute("aria-invalid", "true");
    return control;
  }

  accept() {
    tell(byId("photo-error"));
    for (const id of ["photo-url", "photo-file"]) byId(id).removeAttribute("aria-invalid");
  }

  /** Uses a file that was chosen, maybe before this script had come. */
  useWaiting() {
    this.#useChosen(byId("photo-file"));
  }

  #useChosen(input) {
    this.#useFirst(input.files);
    // The same file can be chosen again.
    input.value = "";
  }

  #useFirst(files) {
    if (files.length) this.use(files[0], files[0].name);
  }

  #fetch(url) {
    if (URL.canParse(url)) {
      this.#set({ url, shown: url });
      return;
    }
    tell(byId("photo-error"), "This is no URL; it looks like https://example.com/photo.jpg.");
    byId("photo-url").setAttribute("aria-invalid", "true");
    byId("photo-url").focus();
  }

  #set(photo) {
    if (this.current?.blob) URL.revokeObjectURL(this.current.shown);
    this.current = photo;
    this.accept();
    byId("photo").hidden = false;
    byId("photo-preview").hidden = false;
    byId("photo-preview").src = photo.shown;
    this.dispatchEvent(new Event("change"));
  }

  #describe(image) {
    const { blob, name, url } = this.current;
    const size = image ? `${image.naturalWidth} × ${image.naturalHeight}` : "your browser can't show it, the server may";
    const facts = blob ? `${name}, ${size}, ${sizeOf(blob.size)}` : `${url}, ${size}`;
    byId("photo-preview").alt = image ? "The photo as it is" : "";
    byId("photo-facts").textContent = facts;
    this.#announce(`Photo: ${facts}`);
  }

  #dropping() {
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    // Beside the zone a drop would have the browser leave the page, so the whole page is the zone.
    document.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#drop.classList.add("over");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) this.#drop.classList.remove("over");
    });
    document.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#drop.classList.remove("over");
      this.#useFirst(event.dataTransfer.files);
    });
  }
}
