/** The list of operations on the page: cards to fill in, to move, to duplicate and to remove. */

import { byId, drawing, element, prose, tell } from "./elements.js";
import { fieldOf } from "./fields.js";

const SIGNS = {
  up: "M8 14V2M3 7l5-5 5 5",
  down: "M8 2v12M3 9l5 5 5-5",
  copy: "M5 5h9v9H5zM2 11V2h9",
  remove: "M3 3l10 10M13 3L3 13",
};

export class Chain {
  #catalog;
  #recipe;
  #announce;
  #list = byId("chain");
  #cards = new Map();

  constructor(catalog, recipe, announce) {
    this.#catalog = catalog;
    this.#recipe = recipe;
    this.#announce = announce;
    recipe.addEventListener("structure", () => this.#render());
    this.#presets();
    this.#adding();
    this.#render();
  }

  /** Shows a sentence at a field of an operation, or at the operation, and gives what to focus. */
  show(index, name, sentence) {
    const step = this.#recipe.steps[index];
    const card = step && this.#cards.get(step.id);
    if (!card) return null;
    const field = card.fields.get(name);
    if (!field) {
      tell(card.error, sentence);
      return card.heading;
    }
    field.node.closest("details")?.setAttribute("open", "");
    field.show(sentence);
    return field.control;
  }

  clearErrors() {
    for (const card of this.#cards.values()) {
      tell(card.error);
      for (const field of card.fields.values()) field.show("");
    }
  }

  #presets() {
    const { presets } = this.#catalog;
    const all = presets.length > 1 ? [["All at once", presets]] : [];
    for (const [label, outputs] of [...presets.map((each) => [titleOf(each), [each]]), ...all]) {
      const choose = () => {
        this.#recipe.load(outputs);
        this.#announce(`${label}: the operations are filled in.`);
      };
      byId("presets").append(element("button", { type: "button", onclick: choose }, label));
    }
  }

  #adding() {
    const { operations } = this.#catalog;
    const select = byId("add-type");
    const summary = byId("add-summary");
    select.append(...[...operations.keys()].map((type) => element("option", {}, type)));
    const explain = () => summary.replaceChildren(...prose(operations.get(select.value).summary));
    select.addEventListener("change", explain);
    explain();
    byId("add-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#recipe.steps.length >= this.#catalog.maxOperations) {
        this.#announce(`There may be ${this.#catalog.maxOperations} operations at most.`);
        return;
      }
      this.#enter(this.#recipe.add(select.value), "added");
    });
  }

  #render() {
    const { steps } = this.#recipe;
    const wanted = new Set(steps.map((step) => step.id));
    for (const [id, card] of this.#cards) {
      if (wanted.has(id)) continue;
      card.node.remove();
      this.#cards.delete(id);
    }
    steps.forEach((step, index) => {
      if (!this.#cards.has(step.id)) this.#cards.set(step.id, this.#card(step));
      const card = this.#cards.get(step.id);
      // What stands right already is not touched, or it would lose the focus.
      if (this.#list.children[index] !== card.node) this.#list.insertBefore(card.node, this.#list.children[index] ?? null);
      card.number.textContent = `${index + 1}. `;
      card.up.disabled = index === 0;
      card.down.disabled = index === steps.length - 1;
    });
    byId("chain-empty").hidden = steps.length > 0;
    this.#renderOutputs();
  }

  #renderOutputs() {
    const { outputs, current, isSingle } = this.#recipe;
    const place = byId("outputs");
    place.hidden = isSingle;
    const names = outputs.map((each) => each.name).join(" ");
    if (place.dataset.names === names) {
      place.querySelectorAll("input")[current].checked = true;
      return;
    }
    place.dataset.names = names;
    const choices = outputs.map(({ name }, index) => {
      const select = () => this.#recipe.select(index);
      const input = element("input", { type: "radio", name: "output", checked: index === current, onchange: select });
      return element("label", {}, input, name);
    });
    place.replaceChildren(place.querySelector("legend"), ...choices);
  }

  #card(step) {
    const operation = this.#catalog.operations.get(step.type);
    const number = element("span");
    const heading = element("h3", { tabindex: "-1" }, number, element("code", {}, step.type));
    const button = (label, sign, onclick) => {
      const names = { "aria-label": `${label} ${step.type}`, title: label };
      const icon = drawing("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, drawing("path", { d: SIGNS[sign] }));
      return element("button", { type: "button", class: "icon", ...names, onclick }, icon);
    };
    const up = button("Move up", "up", () => this.#move(step, -1, up, down));
    const down = button("Move down", "down", () => this.#move(step, 1, down, up));
    const copy = button("Duplicate", "copy", () => this.#enter(this.#recipe.duplicate(step), "duplicated"));
    const remove = button("Remove", "remove", () => this.#remove(step));
    const grip = element("span", { class: "grip", "aria-hidden": "true", title: "Drag to reorder" }, "⠿");
    const error = element("p", { class: "error", hidden: true });
    const fields = new Map(
      operation.fields.map((field) => {
        const change = (value) => this.#recipe.set(step, field.name, value);
        return [field.name, fieldOf(field, step.values[field.name], `step-${step.id}-${field.name}`, change)];
      }),
    );
    const head = element("div", { class: "head" }, grip, heading, element("div", { class: "buttons" }, up, down, copy, remove));
    const summary = element("p", { class: "hint" }, ...prose(operation.summary));
    const node = element("li", {}, head, summary, error, ...placed(operation.fields, fields, step.values));
    const card = { node, heading, number, up, down, error, fields };
    this.#makeDraggable(card, grip, step);
    return card;
  }

  #move(step, by, button, other) {
    this.#recipe.move(step, this.#recipe.steps.indexOf(step) + by);
    (button.disabled ? other : button).focus();
    this.#announce(`${step.type} is now operation ${this.#recipe.steps.indexOf(step) + 1} of ${this.#recipe.steps.length}.`);
  }

  #enter(step, word) {
    const card = this.#cards.get(step.id);
    (card.fields.values().next().value?.control ?? card.heading).focus();
    card.node.scrollIntoView({ block: "nearest" });
    this.#announce(`${step.type} ${word} as operation ${this.#recipe.steps.indexOf(step) + 1}.`);
  }

  #remove(step) {
    const index = this.#recipe.steps.indexOf(step);
    this.#recipe.remove(step);
    const next = this.#recipe.steps[Math.min(index, this.#recipe.steps.length - 1)];
    (next ? this.#cards.get(next.id).heading : byId("add-type")).focus();
    this.#announce(`${step.type} removed; ${this.#recipe.steps.length} left.`);
  }

  #makeDraggable({ node }, grip, step) {
    const end = (event) => {
      if (!node.classList.contains("dragged")) return;
      node.classList.remove("dragged");
      const index = [...this.#list.children].indexOf(node);
      if (event.type === "pointerup") this.#recipe.move(step, index);
      else this.#render();
    };
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      grip.setPointerCapture(event.pointerId);
      node.classList.add("dragged");
    });
    grip.addEventListener("pointermove", (event) => {
      if (!node.classList.contains("dragged")) return;
      const { previousElementSibling: before, nextElementSibling: after } = node;
      // The neighbors move, not the card itself: taken out of the page, it would lose the pointer.
      if (before && event.clientY < middle(before)) node.after(before);
      else if (after && event.clientY > middle(after)) node.before(after);
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) grip.addEventListener(type, end);
  }
}

/** Puts what is required or given on the card, and the rest one click away. */
function placed(declared, fields, values) {
  const isPlain = (field) => field.isRequired || field.name in values;
  const plain = declared.filter(isPlain);
  const rest = declared.filter((field) => !isPlain(field));
  const nodes = (some) => some.map((field) => fields.get(field.name).node);
  const names = rest.map((field) => field.name).join(", ");
  const more = rest.length
    ? [element("details", {}, element("summary", {}, `More: ${names}`), element("div", { class: "fields" }, ...nodes(rest)))]
    : [];
  return [...(plain.length ? [element("div", { class: "fields" }, ...nodes(plain))] : []), ...more];
}

function titleOf({ name, operations }) {
  const sized = operations.find((each) => each.width_in_px && each.height_in_px);
  return sized ? `${name} ${sized.width_in_px}×${sized.height_in_px}` : name;
}

function middle(node) {
  const { top, height } = node.getBoundingClientRect();
  return top + height / 2;
}
