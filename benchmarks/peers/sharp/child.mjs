// Sharp with its defaults, one thread, no cache: a job a line on stdin, what it cost a line on stdout.
// With the argument `matched` its encoders get the effort that Imageplane gives them.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

const MATCHED = { webp: { effort: 2 }, avif: { effort: 1, chromaSubsampling: "4:2:0" }, jpeg: {} };
const isMatched = process.argv.includes("matched");

sharp.concurrency(1);
sharp.cache(false);

async function picture(data, wanted) {
  let image = sharp(data).autoOrient().resize(wanted.width_in_px, wanted.height_in_px, { fit: "cover" });
  if (wanted.sigma !== null) image = image.sharpen({ sigma: wanted.sigma });
  const effort = isMatched ? MATCHED[wanted.format] : {};
  return image.toFormat(wanted.format, { quality: wanted.quality, ...effort }).toBuffer();
}

async function answer(order) {
  const data = readFileSync(order.photo);
  const files = [];
  const wall = process.hrtime.bigint();
  const before = process.cpuUsage();
  try {
    for (const wanted of order.wanted) files.push(await picture(data, wanted));
  } catch (error) {
    const words = String(error.message ?? error).replaceAll(order.photo, "photo");
    return { refused: /unsupported|Support for/.test(words) ? "can't read this format" : words.slice(0, 200) };
  }
  const spent = process.cpuUsage(before);
  const wallInMs = Number(process.hrtime.bigint() - wall) / 1e6;
  files.slice(0, order.save.length).forEach((file, index) => writeFileSync(order.save[index], file));
  return {
    cpu_in_ms: (spent.user + spent.system) / 1000,
    wall_in_ms: wallInMs,
    sizes_in_bytes: files.map((file) => file.length),
    peak_rss_in_mib: Math.round(process.resourceUsage().maxRSS / 102.4) / 10,
  };
}

console.log(JSON.stringify({ versions: { sharp: sharp.versions.sharp, libvips: sharp.versions.vips, node: process.versions.node } }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
