/** The request as code: the same bytes, the same operations; the key stays out of it. */

const SUFFIXES = { svg: "png", bmp: "png", jpg: "jpeg" };

/** What there is to copy: [{name, note, write}]. */
export const LANGUAGES = [
  {
    name: "curl",
    note: "Put your key into IMAGEPLANE_KEY first: export IMAGEPLANE_KEY=…",
    write: curl,
  },
  {
    name: "Python",
    note: "The client is in sdks/python of the repository: pip install ./sdks/python. It reads your key from IMAGEPLANE_KEY.",
    write: python,
  },
  {
    name: "TypeScript",
    note: "The client is in sdks/typescript of the repository, whose README installs it. It reads your key from IMAGEPLANE_KEY.",
    write: typescript,
  },
];

function curl({ url, photo, wanted }) {
  const isSingle = "operations" in wanted;
  const accept = isSingle ? ' -H "Accept: image/*"' : "";
  const lines = [`curl -sS --fail-with-body ${quoted(url)}`, `-H "Authorization: Bearer $IMAGEPLANE_KEY"${accept}`];
  if (photo.url) {
    lines.push(`-H "Content-Type: application/json"`, `-d ${quoted(pretty({ file: { url: photo.url }, ...wanted }))}`);
  } else {
    const name = photo.name.replace(/[\\"]/g, "\\$&");
    lines.push(`-F ${quoted(`file=@"${name}"`)}`);
    for (const [field, value] of Object.entries(wanted)) lines.push(`--form-string ${quoted(`${field}=${pretty(value)}`)}`);
  }
  lines.push(`-o ${isSingle ? `result.${suffix(wanted.operations, photo)}` : "pictures.json"}`);
  return lines.join(" \\\n  ");
}

function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function suffix(operations, photo) {
  const format = operations.findLast((each) => each.format)?.format;
  const own = /\.([a-z0-9]+)$/i.exec(photo.name ?? new URL(photo.url).pathname)?.[1].toLowerCase();
  return format ?? SUFFIXES[own] ?? own ?? "bin";
}

/** JSON with what fits on a line on one line. */
function pretty(value, write = { word: JSON.stringify, name: JSON.stringify }) {
  if (value === null || typeof value !== "object") return write.word(value);
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((each) => pretty(each, write))
    : Object.entries(value).map(([name, each]) => `${write.name(name)}: ${pretty(each, write)}`);
  const [start, end] = isList ? "[]" : "{}";
  const line = start + parts.join(", ") + end;
  if (line.length <= 90 && !line.includes("\n")) return line;
  return `${start}\n${parts.map((each) => `  ${each.replaceAll("\n", "\n  ")},`).join("\n")}\n${end}`.replace(/,(\n[\]}])$/, "$1");
}

function python({ origin, photo, wanted }) {
  const file = photo.url ? `from_url(${JSON.stringify(photo.url)})` : `from_path(${JSON.stringify(photo.name)})`;
  const list = indented(pretty(wanted.operations ?? wanted.outputs, PYTHON), 1);
  const imported = `from imageplane_client import Imageplane, ${file.slice(0, file.indexOf("("))}`;
  const opened = `with Imageplane(base_url=${JSON.stringify(origin)}) as client:`;
  if (wanted.operations) {
    return [
      "from pathlib import Path", "", imported, "", opened,
      `    operations = ${list}`,
      `    picture = client.transform_to_bytes({"file": ${file}, "operations": operations})`,
      `Path("result.${suffix(wanted.operations, photo)}").write_bytes(picture)`,
    ].join("\n");
  }
  return [
    "import base64", "from pathlib import Path", "", imported, "", opened,
    `    outputs = ${list}`, `    reply = client.transform({"file": ${file}, "outputs": outputs})`,
    'for picture in reply["data"]["outputs"]:',
    '    suffix = picture["mime_type"].removeprefix("image/")',
    '    Path(f"{picture[\'name\']}.{suffix}").write_bytes(base64.b64decode(picture["buffer"]))',
  ].join("\n");
}

function typescript({ origin, photo, wanted }) {
  const isSingle = "operations" in wanted;
  const file = photo.url ? `fromUrl(${JSON.stringify(photo.url)})` : `await fromPath(${JSON.stringify(photo.name)})`;
  const [field, list] = Object.entries(wanted)[0];
  const names = ["Imageplane", ...(isSingle ? [] : ["bytesOf"]), ...(photo.url ? ["fromUrl"] : [])].sort();
  const lines = ['import { writeFile } from "node:fs/promises";', `import { ${names.join(", ")} } from "imageplane-client";`];
  if (!photo.url) lines.push('import { fromPath } from "imageplane-client/node";');
  lines.push("", `const client = new Imageplane({ baseUrl: ${JSON.stringify(origin)} });`);
  lines.push(`const ${isSingle ? "picture" : "reply"} = await client.${isSingle ? "transformToBytes" : "transform"}({`);
  lines.push(`  file: ${file},`, `  ${field}: ${indented(pretty(list, TYPESCRIPT), 0.5)},`, "});");
  if (isSingle) lines.push(`await writeFile("result.${suffix(list, photo)}", picture);`);
  else {
    lines.push(
      "for (const { name, mime_type, buffer } of reply.data.outputs) {",
      '  await writeFile(`${name}.${mime_type.replace("image/", "")}`, bytesOf(buffer));',
      "}",
    );
  }
  return lines.join("\n");
}

const WORDS = new Map([[true, "True"], [false, "False"], [null, "None"]]);
const PYTHON = { word: (value) => WORDS.get(value) ?? JSON.stringify(value), name: JSON.stringify };
const TYPESCRIPT = { word: JSON.stringify, name: (name) => (/^[a-z_$][\w$]*$/i.test(name) ? name : JSON.stringify(name)) };

function indented(text, levels) {
  return text.replaceAll("\n", `\n${" ".repeat(4 * levels)}`);
}
