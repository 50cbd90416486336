// What every part of the page needs. Names from elsewhere are only ever set as text.

export const at = (id) => document.getElementById(id);
export const percent = (score) => `${Math.round(score * 100)} %`;

export function connection(kind, text) {
  at("connection").className = kind;
  at("connection").textContent = text;
}

export function veil(text) {
  at("veil").hidden = !text;
  at("veil-text").textContent = text || "";
}

let fading = 0;
export function toast(text, bad = false) {
  at("toast").textContent = text;
  at("toast").className = bad ? "bad" : "";
  at("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (at("toast").hidden = true), 6000);
}

// Ask for something; what was answered, or null where it was refused and the person told why.
export async function post(stream, what, body) {
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
