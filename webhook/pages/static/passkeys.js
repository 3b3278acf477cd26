// Passkeys: a device signs a challenge of ours, and a form carries the answer. Where the browser has none, the forms stay hidden.
"use strict";

const WAYS = {
  create: (given) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(given) }),
  get: (given) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(given) }),
};
const SENTENCES = {
  NotAllowedError: "No passkey was used: that was cancelled, took too long, or the device has none for this site.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "Passkeys belong to another address than the one by which this page was opened.",
};
const OTHERWISE = "That did not work: try again.";

async function ask(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const isGiven = answer.ok && answer.headers.get("Content-Type") === "application/json";
  // Without options the form goes as it is: the page that comes says what is wrong.
  if (isGiven) form.elements.credential.value = JSON.stringify(await WAYS[form.dataset.passkey](await answer.json()));
  form.submit();
}

function begin(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  const said = form.querySelector("[role=alert]");
  said.textContent = "";
  button.disabled = true;
  ask(form)
    .catch((error) => { said.textContent = SENTENCES[error.name] ?? OTHERWISE; })
    .finally(() => { button.disabled = false; });
}

if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", begin);
  }
  document.getElementById("without-passkeys")?.setAttribute("hidden", "");
}
