/** The page: what its parts tell each other. */

import { transform } from "./api.js";
import { Catalog } from "./catalog.js";
import { Chain } from "./chain.js";
import { LANGUAGES } from "./code.js";
import { byId, element, tell } from "./elements.js";
import { Key } from "./key.js";
import { Photo } from "./photo.js";
import { Recipe } from "./recipe.js";
import { Result } from "./result.js";
import { timeOf } from "./words.js";

const PLACE = /^(?:outputs\[(\d+)\])?\.?operations\[(\d+)\]\.?(.*)$/;

class Page {
  #result = new Result();
  #key = new Key();
  #photo = new Photo((sentence) => this.#announce(sentence));
  #language = LANGUAGES[0];
  #running = null;

  constructor(catalog) {
    this.catalog = catalog;
    this.recipe = new Recipe(catalog);
    this.chain = new Chain(catalog, this.recipe, (sentence) => this.#announce(sentence));
    if (catalog.presets.length) this.recipe.load([catalog.presets[0]]);
    this.recipe.addEventListener("change", () => this.#write());
    this.#photo.addEventListener("change", () => this.#write());
    byId("run").addEventListener("click", () => this.run());
    byId("stop").addEventListener("click", () => this.#running?.abort());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.run();
    });
    this.#offerLanguages();
    this.#write();
    this.#photo.useWaiting();
  }

  async run() {
    if (this.#running || !this.#isReady()) return;
    const photo = { ...this.#photo.current };
    const wanted = structuredClone(this.recipe.request);
    const done = await this.#asked(photo, wanted, "Running…");
    if (!done) return;
    this.#result.show({ ...done, photo, wanted, remake: (place, count) => this.#remade(photo, wanted, place, count) });
    this.#announce(`Done in ${timeOf(done.elapsedInMs)}. ${summaryOf(done.reply)}`);
    const title = byId("result-title");
    // On a narrow page it is far below.
    if (title.getBoundingClientRect().top > innerHeight) title.scrollIntoView();
  }

  #isReady() {
    this.#clearErrors();
    if (!this.#photo.current) {
      this.#photo.refuse("Choose a photo first.").focus();
      return false;
    }
    if (!this.#key.value) {
      this.#key.refuse("Paste a key first.");
      return false;
    }
    return true;
  }

  /** Runs the first operations of an output alone, and gives the picture that comes of them. */
  async #remade(photo, wanted, place, count) {
    const operations = (wanted.operations ?? wanted.outputs[place].operations).slice(0, count);
    const done = await this.#asked(photo, { operations }, "Running the operations before it…");
    if (done) this.#announce("Drawn.");
    return done?.reply.data;
  }

  async #asked(photo, wanted, sentence) {
    if (this.#running) return null;
    this.#running = new AbortController();
    this.#showRunning(true);
    this.#announce(sentence);
    try {
      const { signal } = this.#running;
      return await transform(this.catalog.path, { photo, wanted, key: this.#key.value, signal });
    } catch (failure) {
      if (failure.name === "AbortError") this.#announce("Stopped.");
      else this.#showFailure(failure);
      return null;
    } finally {
      this.#running = null;
      this.#showRunning(false);
    }
  }

  #showRunning(isRunning) {
    const hadFocus = [byId("run"), byId("stop")].includes(document.activeElement);
    byId("run").hidden = isRunning;
    byId("stop").hidden = !isRunning;
    byId("main").setAttribute("aria-busy", String(isRunning));
    if (hadFocus) byId(isRunning ? "stop" : "run").focus();
  }

  #showFailure({ message, status, details = [], requestId }) {
    this.#announce("It failed.");
    if (status === 401) {
      this.#key.refuse(message);
      return;
    }
    const first = details.map((fault) => PLACE.exec(fault.path)).find(Boolean);
    const output = Number(first?.[1] ?? this.recipe.current);
    if (!this.recipe.isSingle && output !== this.recipe.current) this.recipe.select(output);
    const places = details.map((fault) => ({ ...fault, control: this.#showFault(fault) }));
    const problems = byId("problems");
    const said = places.map(({ path, message: what, control }) => {
      const where = control ? element("a", { href: `#${control.id}`, onclick: focusing(control) }, path) : path;
      return element("li", {}, where, path ? ": " : "", what);
    });
    // The sentence often is the faults once more.
    const isMore = !details.some((fault) => message.includes(fault.message));
    problems.replaceChildren(
      ...(isMore ? [element("p", {}, message)] : []),
      ...(said.length ? [element("ul", {}, ...said)] : []),
      ...(requestId ? [element("p", { class: "hint" }, `Request ${requestId}`)] : []),
    );
    problems.hidden = false;
    (places.find(({ control }) => control)?.control ?? problems).focus();
  }

  #showFault({ path, message }) {
    const found = PLACE.exec(path);
    if (!found) return /^file\b/.test(path) ? this.#photo.refuse(message) : null;
    const [, output = this.recipe.current, index, name] = found;
    return Number(output) === this.recipe.current ? this.chain.show(Number(index), name, message) : null;
  }

  #clearErrors() {
    tell(byId("problems"));
    this.chain.clearErrors();
    this.#photo.accept();
    this.#key.accept();
  }

  #announce(sentence) {
    byId("status").textContent = sentence;
  }

  #offerLanguages() {
    const choices = LANGUAGES.map((language, index) => {
      const choose = () => {
        this.#language = language;
        this.#write();
      };
      const input = element("input", { type: "radio", name: "language", checked: index === 0, onchange: choose });
      return element("label", {}, input, language.name);
    });
    byId("languages").append(...choices);
    byId("copy").addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(byId("code").textContent);
        this.#announce("The code is copied.");
      } catch {
        // Without https the browser may refuse; what is selected can be copied by hand.
        getSelection().selectAllChildren(byId("code"));
        this.#announce("The browser does not let this page copy; the code is selected.");
      }
    });
  }

  #write() {
    const url = new URL(this.catalog.path, document.baseURI);
    const photo = this.#photo.current ?? { name: "photo.jpg" };
    const origin = url.href.slice(0, -this.catalog.path.length - 1);
    byId("code").textContent = this.#language.write({ url: url.href, origin, photo, wanted: this.recipe.request });
    byId("code-note").textContent = this.#language.note;
  }
}

function summaryOf({ data }) {
  const pictures = data.outputs ?? [data];
  const each = pictures.map(({ name, width_in_px: width, height_in_px: height }) => `${name ?? ""} ${width} × ${height}`.trim());
  return `${each.join(", ")}.`;
}

function focusing(control) {
  return (event) => {
    event.preventDefault();
    control.focus();
  };
}

try {
  new Page(await Catalog.load());
} catch (error) {
  tell(byId("problems"), error.message);
}
