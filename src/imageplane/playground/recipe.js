/** What is to be made: one list of operations, or several under names. */

export class Recipe extends EventTarget {
  #nextId = 1;
  #catalog;

  constructor(catalog) {
    super();
    this.#catalog = catalog;
    this.outputs = [{ name: "", steps: [] }];
    this.current = 0;
  }

  get steps() {
    return this.outputs[this.current].steps;
  }

  get isSingle() {
    return this.outputs.length === 1;
  }

  /** The part of a request that says what is wanted. */
  get request() {
    const lists = this.outputs.map(({ name, steps }) => ({ name, operations: steps.map(written) }));
    return this.isSingle ? { operations: lists[0].operations } : { outputs: lists };
  }

  load(outputs) {
    this.outputs = outputs.map(({ name, operations }) => ({
      name,
      steps: operations.map(({ type, ...values }) => this.#step(type, values)),
    }));
    this.select(0);
  }

  select(index) {
    this.current = index;
    this.#changed("structure");
  }

  add(type) {
    return this.#insert(this.steps.length, this.#step(type, this.#catalog.operations.get(type).initial));
  }

  duplicate(step) {
    return this.#insert(this.steps.indexOf(step) + 1, this.#step(step.type, step.values));
  }

  remove(step) {
    this.steps.splice(this.steps.indexOf(step), 1);
    this.#changed("structure");
  }

  move(step, index) {
    this.steps.splice(this.steps.indexOf(step), 1);
    this.steps.splice(index, 0, step);
    this.#changed("structure");
  }

  /** Sets a field of a step; undefined leaves it out. */
  set(step, name, value) {
    if (value === undefined) delete step.values[name];
    else step.values[name] = value;
    this.#changed("value");
  }

  #step(type, values) {
    return { id: this.#nextId++, type, values: { ...values } };
  }

  #insert(index, step) {
    this.steps.splice(index, 0, step);
    this.#changed("structure");
    return step;
  }

  #changed(what) {
    this.dispatchEvent(new Event(what));
    this.dispatchEvent(new Event("change"));
  }
}

function written({ type, values }) {
  return { type, ...values };
}
