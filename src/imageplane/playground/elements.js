/** Elements from their parts; nothing here ever reads text as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/** Makes an HTML element. Attributes that are null, undefined or false are left out; `on…` are listeners. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** Makes an SVG element. */
export function drawing(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Shows a sentence in an element, or hides the element when there is none. */
export function tell(place, sentence = "") {
  place.textContent = sentence;
  place.hidden = !sentence;
}

/** Gives the parts of a text in which names of code stand between backticks. */
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
