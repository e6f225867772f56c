/** What the server can do, read from its OpenAPI document: no operation is known here by name. */

export class Catalog {
  static async load() {
    const answer = await fetch("openapi.json");
    if (!answer.ok) throw new Error(`The catalog can't be read: the server answered ${answer.status}.`);
    return new Catalog(await answer.json());
  }

  constructor(document) {
    const schemas = document.components.schemas;
    const [path, methods] = Object.entries(document.paths).find(([, each]) => each.post?.operationId === "transform");
    const requests = Object.values(methods.post.requestBody.content["application/json"].examples ?? {});
    const examples = requests.flatMap(({ value }) => value.operations ?? value.outputs.flatMap((each) => each.operations));
    this.path = path.slice(1);
    this.maxOperations = schemas.Operations.maxItems;
    /** Recipes of an example that makes several pictures: [{name, operations}]. */
    this.presets = requests.find(({ value }) => value.outputs)?.value.outputs ?? [];
    this.operations = new Map(
      Object.entries(schemas.Operation.discriminator.mapping).map(([type, place]) => {
        const schema = schemas[place.split("/").pop()];
        // What is shown to people serves better as a start than what is awkward on purpose.
        const example = examples.find((each) => each.type === type) ?? schema.examples?.[0] ?? { type };
        return [type, operation(type, schema, example)];
      }),
    );
  }
}

function operation(type, schema, { type: _, ...initial }) {
  const required = requiredFields(schema);
  const fields = Object.entries(schema.properties)
    .filter(([name, value]) => name !== "type" && !isOtherName(value))
    .map(([name, value]) => field(name, value, required.has(name)));
  const [summary] = schema.description.split("\n\n");
  return { type, summary, fields, initial };
}

/** A field with other names is required by a choice of which each branch requires one of them, its own name first. */
function requiredFields(schema) {
  const choices = (schema.allOf ?? []).map((each) => each.anyOf ?? []);
  const chosen = choices.filter((branches) => branches.every((each) => each.required)).map(([first]) => first.required);
  return new Set([...(schema.required ?? []), ...chosen.flat()]);
}

function isOtherName(value) {
  return Object.keys(value).every((key) => key === "description");
}

function field(name, schema, isRequired) {
  const value = { ...schema, ...(schema.anyOf ?? []).find((each) => each.type !== "null") };
  const choices = value.enum?.filter((each) => each !== null);
  const isWhole = kind(value) === "integer";
  return {
    name,
    isRequired,
    choices,
    kind: choices ? "choice" : kind(value),
    description: schema.description ?? "",
    default: schema.default,
    least: value.minimum ?? (isWhole ? value.exclusiveMinimum + 1 || undefined : value.exclusiveMinimum),
    isLeastExcluded: !isWhole && value.exclusiveMinimum !== undefined,
    most: value.maximum,
  };
}

function kind(value) {
  const type = [value.type].flat().find((each) => each !== "null");
  if (type === "string") return isColor(value.pattern) ? "color" : "text";
  return ["integer", "number", "boolean"].includes(type) ? type : "json";
}

function isColor(pattern) {
  const wanted = pattern && new RegExp(pattern);
  return Boolean(wanted) && wanted.test("#1a2b3c") && !wanted.test("#1a2b3");
}
