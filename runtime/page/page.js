// The live page: the connection, the picture, the scores.

import { Colors, draw, nearest } from "/chart.js";
import { ask } from "/correct.js";
import { tell } from "/doing.js";
import { at, connection, percent, post, veil } from "/parts.js";

const MOST = 10; // bars that are shown unless all are asked for

let socket = null;
let attempts = 0;
let stream = 0;
let about = null;
let points = [];
let state = null;
let decided = "";
let showAll = false;
let colors = new Colors();
let rows = [];

// ---- the connection

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/live`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    attempts = 0;
    connection("live", "live");
    look();
  };
  // One after the other: a picture that is decoded faster must not overtake the one before it.
  let last = Promise.resolve();
  socket.onmessage = ({ data }) => {
    last = last.then(() => (typeof data === "string" ? hear(JSON.parse(data)) : see(data)));
    last = last.catch((error) => console.error(error));
  };
  socket.onclose = ({ code }) => {
    connection("bad", code === 1001 ? "ended" : "connection lost");
    veil(code === 1001 ? "The run has ended." : "Connection lost. Trying again …");
    setTimeout(again, Math.min(5000, 300 * 2 ** attempts++));
  };
}

// Who is no longer let in is asked for the token.
async function again() {
  try {
    if ((await fetch("/status")).status === 401) return location.reload();
  } catch {
    /* nobody answers yet */
  }
  connect();
}

function look() {
  if (socket.readyState === WebSocket.OPEN) socket.send(document.hidden ? "none" : `${stream}`);
}

function hear(said) {
  if (said.about) begin(said.about);
  if (said.state) {
    state = said.state;
    tell(state, stream, points.length > 0, turn);
    if (about && !showAll) arrange();
  }
}

async function see(data) {
  const length = new DataView(data).getUint32(0);
  const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  try {
    if (!about || facts.stream !== about.stream || facts.generation !== about.generation) return;
    const blob = new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" });
    const image = await createImageBitmap(blob);
    show(image, facts.point);
  } finally {
    if (socket.readyState === WebSocket.OPEN) socket.send("got");
  }
}

// ---- what is shown

function begin(told) {
  about = told;
  points = told.points;
  colors = new Colors();
  at("bundle").textContent = about.bundle;
  at("source").textContent = at("source").title = about.source;
  at("window").textContent = about.window;
  at("snapshot").href = `/streams/${about.stream}/snapshot.jpg`;
  at("wrong").disabled = !about.can_correct;
  at("wrong").title = about.can_correct
    ? "Keep the last seconds under the right label"
    : "Start with --review FOLDER to keep the last seconds under the right label";
  // A picture that was made is looked at: there is no score to follow, and no label to correct.
  const scored = about.labels.length && about.answer !== "picture";
  for (const name of ["course", "scores"]) at(name).hidden = !scored;
  at("wrong").hidden = about.answer !== "labels";
  rows = about.labels.map(row);
  arrange();
  const last = points[points.length - 1];
  if (last) say(last);
  else clear();
  paint();
}

function clear() {
  decided = "";
  at("label").textContent = "\u00a0";
  at("score").textContent = "";
}

function show(image, point) {
  const picture = at("picture");
  if (picture.width !== image.width || picture.height !== image.height) {
    picture.width = image.width;
    picture.height = image.height;
  }
  picture.getContext("2d").drawImage(image, 0, 0);
  image.close();
  const last = points[points.length - 1];
  if (last && point[0] < last[0] - 1) points = []; // a clock that was set, or a file from its start
  if (!points.length || point[0] > points[points.length - 1][0]) points.push(point);
  while (points.length && points[0][0] < point[0] - about.window) points.shift();
  say(point);
  paint();
}

function say([, label, score, scores]) {
  decided = label;
  const parts = about.several_labels ? label.split("+") : [label];
  const known = about.labels.includes(label) || (about.several_labels && label !== "none");
  at("label").textContent = about.several_labels ? label.split("+").join(" + ") : label;
  at("label").title = label;
  at("label").classList.toggle("none", !known || label === "unknown");
  // Smaller in two lines, which are as high as one: nothing jumps from label to label.
  at("label").classList.toggle("long", at("label").textContent.length > 14);
  at("score").textContent = about.answer === "picture" ? "" : percent(score);
  scores.forEach((each, index) => {
    const { item, fill, number } = rows[index];
    fill.style.width = `${each * 100}%`;
    number.textContent = percent(each);
    item.classList.toggle("decided", parts.includes(about.labels[index]));
  });
}

function row(name, index) {
  const item = document.createElement("li");
  const made = { item };
  for (const [key, tag] of [["name", "span"], ["number", "span"], ["track", "div"]]) {
    made[key] = document.createElement(tag);
    made[key].className = key;
    item.append(made[key]);
  }
  made.name.textContent = made.name.title = name;
  made.fill = document.createElement("div");
  made.fill.className = "fill";
  made.track.append(made.fill);
  const bound = about.thresholds[index];
  if (bound > 0) {
    const mark = document.createElement("i");
    mark.className = "mark";
    mark.style.left = `${bound * 100}%`;
    mark.title = `threshold ${percent(bound)}`;
    made.track.append(mark);
  }
  return made;
}

// Which bars, in which order: all as the bundle has them, or those that are near.
function arrange() {
  const many = about.labels.length > MOST + 2;
  let order = [...about.labels.keys()];
  if (many && !showAll) {
    const scores = points.length ? points[points.length - 1][3] : [];
    const level = (index) => Math.max(scores[index] || 0, decided === about.labels[index] ? 2 : 0);
    order = order.sort((a, b) => level(b) - level(a)).slice(0, MOST);
  }
  const items = order.map((index) => rows[index].item);
  if (items.some((item, place) => at("bars").children[place] !== item))
    at("bars").replaceChildren(...items);
  else while (at("bars").children.length > items.length) at("bars").lastChild.remove();
  at("scores").classList.toggle("all", many && showAll);
  at("more").hidden = !many;
  at("more").textContent = showAll ? "Show fewer" : `Show all ${about.labels.length}`;
}

function paint() {
  if (!about || !about.labels.length) return;
  const slots = colors.choose(nearest(points, about.labels.length));
  rows.forEach(({ item }, index) => {
    const wanted = slots.has(index) ? `s${slots.get(index)}` : "";
    const now = item.dataset.slot || "";
    if (wanted === now) return;
    if (now) item.classList.remove(now);
    if (wanted) item.classList.add(wanted);
    item.dataset.slot = wanted;
  });
  const slot = slots.get(about.labels.indexOf(decided));
  at("said").className = slot === undefined ? "" : `s${slot}`;
  draw(at("chart"), points, about, slots);
}

function turn(number) {
  stream = number;
  about = null;
  points = [];
  clear();
  veil("…");
  look();
  if (state) tell(state, stream, false, turn);
}

// ---- buttons

at("pause").onclick = () => post(stream, "pause", { paused: state.streams[stream].state !== "paused" });

at("more").onclick = () => {
  showAll = !showAll;
  arrange();
};

at("wrong").onclick = () => about && ask(stream, about.labels, decided);

document.addEventListener("visibilitychange", look);
window.addEventListener("resize", paint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
connect();
