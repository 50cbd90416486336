// "This is wrong, it is ...": the last seconds go into the review folder under the right label.

import { at, post, toast } from "/parts.js";

const FEW = 10; // labels that need no filter

let stream = 0;
let held = null;

// Ask which of the labels it is, where `said` is what was decided.
export function ask(number, labels, said) {
  stream = number;
  // What is meant is what was seen when the button was pressed, not when the label was found.
  held = post(stream, "hold", {});
  at("correct-why").textContent = `It said: ${said || "nothing yet"}. The last seconds are kept under the label that you choose, for the next training.`;
  at("choices").replaceChildren(...labels.map(choice));
  at("filter").hidden = labels.length <= FEW;
  at("filter").value = "";
  at("correct").showModal();
}

function choice(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.onclick = async () => {
    at("correct").close();
    const seconds = await held;
    const done = seconds && (await post(stream, "correct", { label: name, held: seconds.held }));
    if (done) toast(`Kept for the next training: ${done.saved}`);
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
