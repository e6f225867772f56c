// A plain HTTP server around Sharp, one process per core: the body of a POST is the picture, the query says what to make.
// With `gravity=attention` it crops where Sharp finds most to see. Usage: node sharp_server.mjs PORT PROCESSES
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [port, processes] = process.argv.slice(2).map(Number);

async function picture(data, query) {
  const sharp = createRequire(new URL("./sharp/child.mjs", import.meta.url))("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
  const position = query.get("gravity") === "attention" ? sharp.strategy.attention : "centre";
  const size = [Number(query.get("width")), Number(query.get("height"))];
  let image = sharp(data).autoOrient().resize(...size, { fit: "cover", position });
  if (query.has("sigma")) image = image.sharpen({ sigma: Number(query.get("sigma")) });
  return image.toFormat(query.get("format"), { quality: Number(query.get("quality")) }).toBuffer();
}

async function answer(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const query = new URL(request.url, "http://localhost").searchParams;
  if (!query.has("width")) return response.end("ready");
  try {
    const result = await picture(Buffer.concat(pieces), query);
    response.writeHead(200, { "Content-Type": `image/${query.get("format")}`, "Content-Length": result.length });
    response.end(result);
  } catch (error) {
    response.writeHead(422).end(String(error.message ?? error));
  }
}

if (cluster.isPrimary) {
  for (let count = 0; count < processes; count += 1) cluster.fork();
} else {
  const server = createServer((request, response) => answer(request, response).catch(() => response.destroy()));
  // As patient as the others.
  server.requestTimeout = 0;
  server.listen(port, "127.0.0.1", 4096);
}
