// Scores over time: a line for each label that was near, and below them what was decided.

const SLOTS = 8; // colours, and lines that have one
const RIBBON = 26; // px
const LEFT = 34; // px
const AXIS = 18; // px

// Colours for labels: a label keeps its own as long as it is among those that are near.
export class Colors {
  constructor() {
    this.slots = new Map();
  }

  // The slot of each near label; others have none.
  choose(near) {
    for (const label of this.slots.keys()) if (!near.includes(label)) this.slots.delete(label);
    for (const label of near) {
      if (this.slots.has(label)) continue;
      const taken = new Set(this.slots.values());
      let slot = label % SLOTS;
      while (taken.has(slot)) slot = (slot + 1) % SLOTS;
      this.slots.set(label, slot);
    }
    return this.slots;
  }
}

// Labels by their highest score of late, the highest first, as many as have a colour.
export function nearest(points, count) {
  const highest = new Array(count).fill(0);
  for (const [, , , scores] of points)
    for (let i = 0; i < count; i++) if (scores[i] > highest[i]) highest[i] = scores[i];
  const order = [...highest.keys()];
  if (count > SLOTS) order.sort((a, b) => highest[b] - highest[a]);
  return order.slice(0, SLOTS);
}

export function draw(canvas, points, about, slots) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas);
  const color = (name) => style.getPropertyValue(name).trim();
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `12px ${style.fontFamily}`;
  const bottom = height - AXIS - RIBBON - 8;
  const top = 6;
  const last = points.length ? points[points.length - 1][0] : 0;
  const x = (time) => LEFT + ((time - last) / about.window + 1) * (width - LEFT - 1);
  const y = (score) => bottom - score * (bottom - top);

  grid(pen, { width, top, bottom, height, x, y, last, color, window: about.window });
  thresholds(pen, { width, y, color, about });
  const order = [...about.labels.keys()].sort((a, b) => slots.has(a) - slots.has(b));
  for (const label of order) {
    const slot = slots.get(label);
    if (slot === undefined && about.labels.length > 20) continue;
    pen.strokeStyle = color(slot === undefined ? "--line" : `--c${slot}`);
    pen.lineWidth = slot === undefined ? 1 : 2;
    line(pen, points, (point) => point[3][label], x, y);
  }
  ribbon(pen, { points, about, slots, color, x, top: bottom + 8, right: width });
}

function grid(pen, { width, top, bottom, height, x, y, last, color, window: seconds }) {
  pen.fillStyle = color("--soft");
  pen.strokeStyle = color("--line");
  pen.lineWidth = 1;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const score of [0, 0.5, 1]) {
    const at = Math.round(y(score)) + 0.5;
    pen.beginPath();
    pen.moveTo(LEFT, at);
    pen.lineTo(width, at);
    pen.stroke();
    pen.fillText(`${score * 100}`, LEFT - 8, at);
  }
  pen.textBaseline = "alphabetic";
  for (let ago = 0; ago <= seconds; ago += 5) {
    pen.textAlign = ago === 0 ? "right" : ago === seconds ? "left" : "center";
    if (width < 500 && ago % 10) continue;
    pen.fillText(ago === 0 ? "now" : `−${ago} s`, x(last - ago), height - 3);
  }
}

function thresholds(pen, { width, y, color, about }) {
  const bounds = new Set(about.thresholds.filter((bound) => bound > 0));
  if (bounds.size > 3) return;
  pen.strokeStyle = color("--other");
  pen.setLineDash([5, 4]);
  for (const bound of bounds) {
    pen.beginPath();
    pen.moveTo(LEFT, y(bound));
    pen.lineTo(width, y(bound));
    pen.stroke();
  }
  pen.setLineDash([]);
}

// Points further apart than this belong to no line.
function gap(points) {
  const steps = [];
  for (let i = Math.max(1, points.length - 20); i < points.length; i++)
    steps.push(points[i][0] - points[i - 1][0]);
  steps.sort((a, b) => a - b);
  return Math.max(0.5, 4 * (steps[steps.length >> 1] || 0));
}

function line(pen, points, score, x, y) {
  const most = gap(points);
  pen.lineJoin = "round";
  pen.beginPath();
  let before = -Infinity;
  for (const point of points) {
    const at = x(point[0]);
    if (at >= LEFT) {
      if (point[0] - before > most) pen.moveTo(at, y(score(point)));
      else pen.lineTo(at, y(score(point)));
      before = point[0];
    }
  }
  pen.stroke();
}

// What was decided, one piece for each run of the same label.
function ribbon(pen, { points, about, slots, color, x, top, right }) {
  const most = gap(points);
  const pieces = [];
  for (const [time, label] of points) {
    const piece = pieces[pieces.length - 1];
    if (piece && piece.label === label && time - piece.end <= most) piece.end = time;
    else {
      if (piece && time - piece.end <= most) piece.end = time;
      pieces.push({ label, start: time, end: time });
    }
  }
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const { label, start, end } of pieces) {
    const from = Math.max(LEFT, x(start));
    const to = Math.min(right, Math.max(x(end), from + 1));
    if (to <= LEFT) continue;
    const index = about.labels.indexOf(label);
    const slot = slots.get(index);
    const known = index >= 0 || (about.several_labels && label.includes("+"));
    pen.fillStyle = color(slot !== undefined ? `--c${slot}` : known ? "--other" : "--empty");
    pen.beginPath();
    pen.roundRect(from, top, Math.max(1, to - from - 1), RIBBON, 4);
    pen.fill();
    pen.fillStyle = color(known ? "--on" : "--soft");
    const text = fitting(pen, label, to - from - 14);
    if (text) pen.fillText(text, from + 7, top + RIBBON / 2 + 1);
  }
}

function fitting(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let short = text.slice(0, 40);
  while (short.length > 2 && pen.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return short.length > 2 ? `${short}…` : "";
}
