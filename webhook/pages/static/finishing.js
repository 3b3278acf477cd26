// A sign-in that an operator finishes: shows the picture of the portal's page, and sends keys and clicks to it.
"use strict";

const NAMED = new Set([
  "Enter", "Tab", "Backspace", "Delete", "Escape", "Home", "End", "PageUp", "PageDown",
  "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
]);
const LEAVE = 1500; // milliseconds between two presses of Escape that leave the picture
const BETWEEN = 150; // milliseconds between two messages with acts
const MOVES = 50, HOVERS = 250; // milliseconds between two moves of the pointer that are sent: with its button pressed, and without
const TAP = 12; // pixels by which a finger may slip
const MOST = 50; // acts of one message

class PortalPage extends HTMLElement {
  connectedCallback() {
    this.canvas = this.querySelector("canvas");
    this.pencil = this.canvas.getContext("2d");
    this.state = this.querySelector(".state");
    this.keys = this.querySelector(".keys");
    this.waiting = []; // acts that were not sent yet
    this.sending = false;
    this.captures = false;
    this.pressed = false;
    this.escaped = 0;
    this.moved = 0;
    this.touched = null; // where a finger came down
    this.leaving = false;
    window.addEventListener("pagehide", () => (this.leaving = true));
    this.listen();
    this.look();
  }

  pause(milliseconds) {
    return new Promise((done) => setTimeout(done, milliseconds));
  }

  say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  async look() {
    let newest = 0;
    while (this.isConnected && !this.leaving) {
      let answer;
      try {
        answer = await fetch(`${this.dataset.picture}?after=${newest}`, { cache: "no-store", redirect: "error" });
      } catch {
        this.say(this.state, this.dataset.lost);
        await this.pause(1000);
        continue;
      }
      if (answer.status === 429) {
        await this.pause(1000 * (Number(answer.headers.get("Retry-After")) || 1));
        continue;
      }
      if (!answer.ok) {
        // It has ended, or is not ours any more: the page itself says so.
        if (!this.leaving) location.reload();
        return;
      }
      const state = answer.headers.get("Latchkey-State");
      this.say(this.state, this.dataset[state] || "");
      if (answer.status === 200) {
        newest = Number(answer.headers.get("Latchkey-Picture"));
        await this.draw(await answer.blob());
      }
      await this.pause(state === "open" ? 100 : 1000);
    }
  }

  async draw(blob) {
    const picture = await createImageBitmap(blob);
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
      this.canvas.width = picture.width;
      this.canvas.height = picture.height;
    }
    this.pencil.drawImage(picture, 0, 0);
    picture.close();
    this.querySelector(".screen").hidden = false;
  }

  add(...acts) {
    this.waiting.push(...acts);
    if (!this.sending) this.send();
  }

  async send() {
    this.sending = true;
    while (this.waiting.length && !this.leaving) {
      const acts = this.waiting.splice(0, MOST);
      const body = new URLSearchParams({ acts: JSON.stringify(acts) });
      body.set(this.dataset.tokenName, this.dataset.token);
      try {
        const answer = await fetch(this.dataset.acts, { method: "POST", body, redirect: "error" });
        if (answer.status === 429) {
          this.waiting.unshift(...acts);
          await this.pause(1000);
        }
      } catch {
        this.say(this.state, this.dataset.lost);
      }
      await this.pause(BETWEEN);
    }
    this.sending = false;
  }

  least() {
    return this.pressed ? MOVES : HOVERS;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const part = (at, from, size) => Math.min(Math.max((at - from) / size, 0), 1);
    return { x: part(event.clientX, box.left, box.width), y: part(event.clientY, box.top, box.height) };
  }

  capture(on) {
    this.captures = on;
    this.canvas.classList.toggle("captures", on);
    this.say(this.keys, on ? "Your keys go to the portal’s page. Press Escape twice to leave it." : "");
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("blur", () => this.capture(false));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") this.touched = event;
      if (event.pointerType === "touch" || event.button !== 0) return;
      canvas.focus();
      canvas.setPointerCapture(event.pointerId);
      this.capture(true);
      this.pressed = true;
      this.add({ kind: "move", ...this.place(event) }, { kind: "down", ...this.place(event) });
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch" || !this.captures || event.timeStamp - this.moved < this.least()) return;
      this.moved = event.timeStamp;
      this.add({ kind: "move", ...this.place(event) });
    });
    canvas.addEventListener("pointerup", (event) => {
      if (event.pointerType === "touch") this.tap(event);
      if (!this.pressed) return;
      this.pressed = false;
      this.add({ kind: "up", ...this.place(event) });
    });
    canvas.addEventListener("pointercancel", () => (this.touched = null));
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!this.captures) return;
        event.preventDefault();
        this.add({ kind: "wheel", by: Math.max(-2000, Math.min(2000, event.deltaY)) });
      },
      { passive: false },
    );
    this.querySelector(".size").addEventListener("click", (event) => {
      const whole = canvas.classList.toggle("whole");
      event.currentTarget.setAttribute("aria-pressed", String(whole));
    });
    const form = this.querySelector(".typing");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const { text } = form.elements;
      if (text.value) this.add({ kind: "text", text: text.value });
      if (event.submitter?.name === "key") this.add({ kind: "key", name: event.submitter.value });
      text.value = "";
    });
  }

  // A finger scrolls the picture; where it is lifted again, that is a click.
  tap(event) {
    const from = this.touched;
    this.touched = null;
    if (!from || Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > TAP) return;
    const place = this.place(event);
    this.add({ kind: "move", ...place }, { kind: "down", ...place }, { kind: "up", ...place });
  }

  press(event) {
    if (!this.captures) {
      if (event.key === "Enter") {
        this.capture(true);
        event.preventDefault();
      }
      return;
    }
    if (event.isComposing) return;
    const writes = event.getModifierState("AltGraph");
    if ((event.ctrlKey || event.altKey || event.metaKey) && !writes) return; // the browser's own
    if (event.key === "Escape") {
      if (event.timeStamp - this.escaped < LEAVE) {
        event.preventDefault();
        this.capture(false);
        return;
      }
      this.escaped = event.timeStamp;
    }
    if (event.key.length === 1) this.type(event.key);
    else if (event.key === "Tab" && event.shiftKey) this.add({ kind: "key", name: "Shift+Tab" });
    else if (NAMED.has(event.key)) this.add({ kind: "key", name: event.key });
    else return;
    event.preventDefault();
  }

  type(character) {
    const last = this.waiting.at(-1);
    if (last?.kind === "text" && last.text.length < 400) last.text += character;
    else this.add({ kind: "text", text: character });
  }
}

customElements.define("portal-page", PortalPage);
