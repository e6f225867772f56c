/** The API key: pasted by the visitor, or handed over behind a `#`; kept in this tab only. */

import { accountOf } from "./api.js";
import { byId, tell } from "./elements.js";

const PLACE = "imageplane.key";

export class Key {
  #input = byId("key");
  #note = byId("key-note");
  #usual = this.#note.textContent;

  constructor() {
    this.#input.value = sessionStorage.getItem(PLACE) ?? "";
    byId("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep();
      if (this.value) this.#check();
      else this.refuse("Paste a key first.");
    });
    byId("key-forget").addEventListener("click", () => {
      this.#input.value = "";
      this.#keep();
      this.#input.focus();
    });
    this.#input.addEventListener("change", () => this.#keep());
    addEventListener("hashchange", () => this.#take());
    this.#keep();
    this.#take();
  }

  get value() {
    return this.#input.value.trim();
  }

  /** Says what is wrong with the key, and gives what to focus. */
  refuse(sentence) {
    tell(byId("key-error"), sentence);
    this.#input.setAttribute("aria-invalid", "true");
    this.#input.focus();
    return this.#input;
  }

  accept() {
    tell(byId("key-error"));
    this.#input.removeAttribute("aria-invalid");
  }

  #take() {
    const given = new URLSearchParams(location.hash.slice(1)).get("key");
    if (!given) return;
    // It must neither stay in the address bar nor in the history.
    history.replaceState(null, "", location.pathname + location.search);
    this.#input.value = given;
    this.#keep();
    this.#check();
  }

  #keep() {
    if (this.value) sessionStorage.setItem(PLACE, this.value);
    else sessionStorage.removeItem(PLACE);
    byId("key-forget").hidden = !this.value;
    this.#note.textContent = this.#usual;
    this.accept();
  }

  async #check() {
    const asked = this.value;
    try {
      const { organization, credits } = await accountOf(asked);
      if (asked !== this.value) return;
      this.#note.textContent = `${organization.name} has ${credits.toLocaleString("en-US")} credits left.`;
    } catch (failure) {
      if (asked === this.value) this.refuse(failure.message);
    }
  }
}
