/** The form of one operation, made from its fields as the catalog declares them. */

import { element, prose, tell } from "./elements.js";

const CONTROLS = { choice, boolean, integer: number, number, color, text, json };

/** Makes the control of a field with its label, hint and place for an error.
 * Takes: `change`, called with the new value, or with undefined when the field is left out. */
export function fieldOf(field, value, id, change) {
  const error = element("p", { id: `${id}-error`, class: "error", hidden: true });
  const hint = element("p", { id: `${id}-hint`, class: "hint" }, ...prose(hintOf(field)));
  const common = { id, "aria-describedby": `${hint.id} ${error.id}`, "aria-required": field.isRequired ? "true" : null };
  const [control, ...beside] = CONTROLS[field.kind](field, value, common, (found) => {
    show("");
    change(found);
  });
  const label = element("label", { for: id }, element("code", {}, field.name), field.isRequired ? "" : " (optional)");
  const node = element("div", { class: "field" }, label, element("div", { class: "row" }, control, ...beside), hint, error);

  function show(sentence) {
    tell(error, sentence);
    if (sentence) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }

  return { node, control, show };
}

function hintOf(field) {
  const { least, most } = field;
  const from = least === undefined ? "" : `${field.isLeastExcluded ? "More than" : "From"} ${shown(least)}`;
  const to = most === undefined ? "" : `${from ? " to" : "At most"} ${shown(most)}`;
  return [field.description, from + to && `${from}${to}.`].filter(Boolean).join(" ");
}

function shown(bound) {
  return bound.toLocaleString("en-US");
}

function choice(field, value, common, change) {
  const given = value ?? (field.isRequired ? field.choices[0] : undefined);
  const absent = field.default === undefined ? "not set" : `not set: ${field.default}`;
  const options = field.choices.map((each, index) =>
    element("option", { value: index, selected: each === given }, String(each)),
  );
  if (!field.isRequired) options.unshift(element("option", { value: "" }, absent));
  const read = (event) => change(event.target.value === "" ? undefined : field.choices[event.target.value]);
  return [element("select", { ...common, onchange: read }, ...options)];
}

function boolean(field, value, common, change) {
  const usual = field.default ?? false;
  const read = (event) => change(event.target.checked === usual && !field.isRequired ? undefined : event.target.checked);
  return [element("input", { ...common, type: "checkbox", checked: value ?? usual, onchange: read })];
}

function number(field, value, common, change) {
  const isFine = field.kind === "number" && field.most !== undefined && field.most <= 1;
  const read = (event) => change(Number.isNaN(event.target.valueAsNumber) ? undefined : event.target.valueAsNumber);
  const step = isFine ? "0.05" : "any";
  return [
    element("input", {
      ...common, type: "number", inputmode: field.kind === "integer" ? "numeric" : "decimal", value, min: field.least,
      max: field.most, step, placeholder: field.default, oninput: read,
    }),
  ];
}

function color(field, value, common, change) {
  const usual = field.default ?? "#000000";
  const written = element("input", {
    ...common, type: "text", value, placeholder: field.default, spellcheck: "false", maxlength: 7,
    oninput: () => {
      if (/^#[0-9a-f]{6}$/i.test(written.value)) picker.value = written.value;
      change(written.value || undefined);
    },
  });
  const picker = element("input", {
    type: "color", value: value ?? usual, "aria-label": `Pick ${field.name}`,
    oninput: () => {
      written.value = picker.value;
      change(picker.value);
    },
  });
  return [written, picker];
}

function text(field, value, common, change) {
  const read = (event) => change(event.target.value || undefined);
  return [element("input", { ...common, type: "text", value, placeholder: field.default, oninput: read })];
}

/** What no other control can write is written as JSON; what is no JSON goes to the server as text, which says so. */
function json(field, value, common, change) {
  const read = (event) => change(event.target.value.trim() ? parsed(event.target.value) : undefined);
  return [element("input", { ...common, type: "text", value: value && JSON.stringify(value), oninput: read })];
}

function parsed(given) {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}
