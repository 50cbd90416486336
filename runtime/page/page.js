// The live page. Names from elsewhere are only ever set as text.

import { Colors, draw, nearest } from "/chart.js";

const MOST = 10; // bars that are shown unless all are asked for
const at = (id) => document.getElementById(id);
const percent = (score) => `${Math.round(score * 100)} %`;

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
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : see(data));
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
  if (said.state) tell(said.state);
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
  if (last && point[0] < last[0]) points = []; // a file from its start
  if (!last || point[0] !== last[0]) points.push(point);
  while (points[0][0] < point[0] - about.window) points.shift();
  say(point);
  paint();
}

function say([, label, score, scores]) {
  const label_ = at("label");
  decided = label;
  const parts = about.several_labels ? label.split("+") : [label];
  const known = about.labels.includes(label) || (about.several_labels && label !== "none");
  label_.textContent = about.several_labels ? label.split("+").join(" + ") : label;
  label_.title = label;
  label_.className = known && label !== "unknown" ? "" : "none";
  at("score").textContent = percent(score);
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
  if (!about) return;
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

// ---- how it is doing

function tell(told) {
  state = told;
  const { streams, machine } = state;
  tabs(streams);
  const now = streams[stream];
  if (!now) return;
  value("fps", now.fps_out.toFixed(1), "a second");
  at("fps-in").textContent = `${now.fps_in.toFixed(1)} frames a second come; ${count(now.dropped)} dropped`;
  if (now.p50_ms === null) value("latency", "–", "");
  else value("latency", now.p50_ms.toFixed(now.p50_ms < 10 ? 1 : 0), "ms");
  at("latency-more").textContent =
    now.p95_ms === null ? "" : `95 of 100 within ${now.p95_ms.toFixed(now.p95_ms < 10 ? 1 : 0)} ms`;
  heat(machine);
  at("delegate").textContent = now.delegate;
  const all = now.operators_taken + now.operators_left;
  at("engine").textContent =
    `${now.variant}, ${now.engine}, ${now.threads} thread${now.threads === 1 ? "" : "s"}; ` +
    `${now.operators_taken} of ${all} operators`;
  at("footer").textContent =
    `edgecrnn ${state.version} on ${machine.name}; up ${lasted(now.uptime)}; ${count(now.classified)} decisions, ` +
    `${count(now.resets)} resets, source opened again ${count(now.reopened)} times`;
  at("notice").hidden = !now.error;
  at("notice").textContent = now.error;
  const paused = now.state === "paused";
  at("pause").disabled = false;
  at("pause").textContent = paused ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", `${paused}`);
  const words = { waiting: "Waiting for the camera …", reopening: "The camera is gone. Opening it again …",
    paused: "Paused", hung: "The model does not answer.", ended: "This source has ended." };
  veil(points.length || now.state in words ? words[now.state] : "Waiting for the first decision …");
  connection(now.well ? "live" : "wait", now.state === "running" ? "live" : now.state);
  if (about && !showAll) arrange();
}

function heat({ celsius, megahertz, most_megahertz, throttled = [], throttled_before = [] }) {
  if (celsius === null || celsius === undefined) value("celsius", "–", "");
  else value("celsius", celsius.toFixed(0), "°C");
  const said = [...throttled, ...throttled_before.filter((w) => !throttled.includes(w)).map((w) => `${w} before`)];
  if (megahertz) said.push(`${megahertz.toFixed(0)} of ${(most_megahertz || megahertz).toFixed(0)} MHz`);
  at("throttled").textContent = said.join(", ") || "the machine does not tell";
  at("heat").classList.toggle("bad", throttled.length > 0);
}

function tabs(streams) {
  const bar = at("streams");
  bar.hidden = streams.length < 2;
  while (bar.children.length < streams.length) {
    const button = document.createElement("button");
    const number = bar.children.length;
    button.type = "button";
    button.setAttribute("role", "tab");
    button.append(document.createElement("b"), document.createElement("span"));
    button.onclick = () => turn(number);
    bar.append(button);
  }
  streams.forEach((each, number) => {
    const button = bar.children[number];
    const running = each.state === "running";
    button.firstChild.textContent = running && each.label !== null ? each.label : each.state;
    button.lastChild.textContent = button.title = each.source;
    button.classList.toggle("bad", !each.well);
    button.setAttribute("aria-selected", `${number === stream}`);
  });
}

function turn(number) {
  stream = number;
  about = null;
  points = [];
  clear();
  veil("…");
  look();
  if (state) tell(state);
}

function value(id, number, unit) {
  const small = document.createElement("small");
  small.textContent = unit;
  at(id).replaceChildren(number, small);
}

const count = (number) => number.toLocaleString("en");

function lasted(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

function connection(kind, text) {
  at("connection").className = kind;
  at("connection").textContent = text;
}

function veil(text) {
  at("veil").hidden = !text;
  at("veil-text").textContent = text || "";
}

let fading = 0;
function toast(text, bad = false) {
  at("toast").textContent = text;
  at("toast").className = bad ? "bad" : "";
  at("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (at("toast").hidden = true), 6000);
}

// ---- buttons

async function post(what, body) {
  try {
    const answer = await fetch(`/streams/${stream}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (answer.ok) return said;
    toast(said.error, true);
  } catch {
    toast("The run does not answer.", true);
  }
  return null;
}

at("pause").onclick = () => post("pause", { paused: state.streams[stream].state !== "paused" });

at("more").onclick = () => {
  showAll = !showAll;
  arrange();
};

at("wrong").onclick = () => {
  at("correct-why").textContent = `It said: ${decided || "nothing yet"}. The last seconds are kept under the label that you choose, for the next training.`;
  at("choices").replaceChildren(...about.labels.map(choice));
  at("filter").hidden = about.labels.length <= MOST;
  at("filter").value = "";
  at("correct").showModal();
};

function choice(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.onclick = async () => {
    at("correct").close();
    const done = await post("correct", { label: name });
    if (done) toast(`Kept as ${name}: ${done.saved}`);
  };
  return button;
}

at("filter").oninput = () => {
  const wanted = at("filter").value.toLowerCase();
  for (const button of at("choices").children)
    button.hidden = !button.textContent.toLowerCase().includes(wanted);
};
at("filter").onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const left = [...at("choices").children].filter((button) => !button.hidden);
  if (left.length === 1) left[0].click();
};

document.addEventListener("visibilitychange", look);
window.addEventListener("resize", paint);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
connect();
