// How the streams and the machine are doing.

import { at, connection, veil } from "/parts.js";

// Show how stream number `stream` is doing; `turn` is called with the number of another one.
export function tell(told, stream, seen, turn) {
  const { streams, machine } = told;
  tabs(streams, stream, turn);
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
  const parts = [`edgecrnn ${told.version} on ${machine.name}`, `up ${lasted(now.uptime)}`, times(now.classified, "decision")];
  if (now.resets) parts.push(times(now.resets, "reset"));
  if (now.reopened) parts.push(`source opened again ${times(now.reopened, "time")}`);
  at("footer").textContent = parts.join("; ");
  at("notice").hidden = !now.error;
  at("notice").textContent = now.error;
  const paused = now.state === "paused";
  at("pause").disabled = false;
  at("pause").textContent = paused ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", `${paused}`);
  const words = { waiting: "Waiting for the camera …", reopening: "The camera is gone. Opening it again …",
    paused: "Paused", hung: "The model does not answer.", ended: "This source has ended." };
  veil(seen || now.state in words ? words[now.state] : "Waiting for the first decision …");
  const live = now.state === "running";
  connection(live ? "live" : "wait", live ? "live" : now.state);
}

function heat({ celsius, megahertz, most_megahertz, throttled = [], throttled_before = [] }) {
  if (celsius === null || celsius === undefined) value("celsius", "–", "");
  else value("celsius", celsius.toFixed(0), "°C");
  const said = [...throttled, ...throttled_before.filter((w) => !throttled.includes(w)).map((w) => `${w} before`)];
  if (megahertz) said.push(`${megahertz.toFixed(0)} of ${(most_megahertz || megahertz).toFixed(0)} MHz`);
  at("throttled").textContent = said.join(", ");
  // Not every machine has a thermometer: no tile that says nothing.
  at("heat").hidden = !said.length && typeof celsius !== "number";
  at("heat").classList.toggle("bad", throttled.length > 0);
}

function tabs(streams, stream, turn) {
  const bar = at("streams");
  bar.hidden = streams.length < 2;
  at("source").hidden = !bar.hidden;
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
    button.lastChild.textContent = tail(each.source);
    button.title = each.source;
    button.classList.toggle("bad", !each.well);
    button.setAttribute("aria-selected", `${number === stream}`);
  });
}

// The end of a long path or address says more than its beginning.
const tail = (name) => (name.length > 22 ? `…${name.slice(-20)}` : name);

function value(id, number, unit) {
  const small = document.createElement("small");
  small.textContent = unit;
  at(id).replaceChildren(number, small);
}

const count = (number) => number.toLocaleString("en");

const times = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;

function lasted(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}
