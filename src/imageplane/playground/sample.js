/** A drawing to try things out with, for who has no photo at hand: two people in front of their house. */

import { bytesOf } from "./api.js";

const WIDTH = 1600;
const HEIGHT = 1067;

export function sampleDrawing() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const pen = canvas.getContext("2d");
  sky(pen);
  hills(pen);
  house(pen);
  tree(pen, 1330, 690);
  person(pen, { x: 560, y: 640, skin: "#e8b48c", hair: "#4a2c17", coat: "#c8473b" });
  person(pen, { x: 730, y: 690, skin: "#8d5a3b", hair: "#1d1512", coat: "#2f6f9f" });
  const type = "image/jpeg";
  // `toBlob` waits until the browser is idle, which can take seconds.
  return bytesOf({ buffer: canvas.toDataURL(type, 0.9).split(",")[1], mime_type: type });
}

function shade(pen, from, to, colors) {
  const gradient = pen.createLinearGradient(0, from, 0, to);
  colors.forEach((color, index) => gradient.addColorStop(index / (colors.length - 1), color));
  return gradient;
}

function disc(pen, x, y, radius, color) {
  pen.fillStyle = color;
  pen.beginPath();
  pen.ellipse(x, y, radius, radius, 0, 0, 2 * Math.PI);
  pen.fill();
}

function sky(pen) {
  pen.fillStyle = shade(pen, 0, 700, ["#3f7fc4", "#a9d2ee", "#fdeccb"]);
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  disc(pen, 1250, 190, 80, "#ffe27a");
  for (const [x, y] of [[220, 170], [300, 140], [370, 175], [900, 240], [970, 215], [1040, 245]]) disc(pen, x, y, 52, "#ffffffcc");
}

function hills(pen) {
  for (const [top, height, color] of [[560, 70, "#7fa86f"], [660, 45, "#679957"], [760, 25, "#4f8446"]]) {
    pen.fillStyle = color;
    pen.beginPath();
    pen.moveTo(0, HEIGHT);
    for (let x = 0; x <= WIDTH; x += 10) pen.lineTo(x, top + height * Math.sin(x / 190 + top));
    pen.lineTo(WIDTH, HEIGHT);
    pen.fill();
  }
}

function house(pen) {
  pen.fillStyle = shade(pen, 480, 800, ["#f6e9d5", "#e0c8a4"]);
  pen.fillRect(880, 500, 300, 290);
  pen.fillStyle = "#a8482f";
  pen.beginPath();
  pen.moveTo(850, 505);
  pen.lineTo(1030, 370);
  pen.lineTo(1210, 505);
  pen.fill();
  pen.fillStyle = "#5d7f99";
  for (const x of [920, 1080]) pen.fillRect(x, 550, 65, 75);
  pen.fillStyle = "#6b4329";
  pen.fillRect(1000, 660, 65, 130);
}

function tree(pen, x, y) {
  pen.fillStyle = "#6b4a2f";
  pen.fillRect(x - 17, y, 34, 200);
  for (const [dx, dy, radius] of [[0, -60, 95], [-70, 5, 75], [70, 5, 75]]) disc(pen, x + dx, y + dy, radius, "#3d7a3f");
}

function person(pen, { x, y, skin, hair, coat }) {
  pen.fillStyle = shade(pen, y, y + 330, [coat, "#22262e"]);
  pen.beginPath();
  pen.roundRect(x - 85, y + 85, 170, 300, 60);
  pen.fill();
  disc(pen, x, y - 12, 84, hair);
  disc(pen, x, y + 12, 74, skin);
  for (const side of [-1, 1]) {
    disc(pen, x + side * 27, y, 12, "#ffffff");
    disc(pen, x + side * 27, y + 1, 7, "#23201e");
  }
  pen.strokeStyle = "#7a2f26";
  pen.lineWidth = 6;
  pen.lineCap = "round";
  pen.beginPath();
  pen.arc(x, y + 30, 26, 0.2 * Math.PI, 0.8 * Math.PI);
  pen.stroke();
}
