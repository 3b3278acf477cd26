// Draws every page from what the server answers, as the real portal's application does: the document itself is empty.
(() => {
  "use strict";
  const base = document.documentElement.dataset.base;
  const page = { csrf: "", timers: {} }; // timers: name of an act -> when it is called again
  const keyed = new WeakMap(); // code field -> what real key events put into it
  const drawn = new WeakMap(); // place -> the HTML that it shows
  let pending = null;

  // The window's name tells tabs apart and, unlike storage, is not carried over into another tab.
  if (!window.name.startsWith("tab-")) window.name = "tab-" + Math.random().toString(36).slice(2);

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  function headers() {
    const sent = { "X-CSRF-Token": page.csrf, "X-Page": location.pathname + location.search };
    const token = sessionStorage.getItem("portalToken");
    if (token) sent["X-Portal-Token"] = token;
    const marker = localStorage.getItem("portalLayout");
    if (marker) sent["X-Portal-Layout"] = marker;
    return sent;
  }

  async function call(path, options = {}) {
    const answer = await fetch(base + path, { ...options, headers: { ...headers(), ...options.headers } });
    if (answer.status === 503) return { go: base + "/Unavailable" };
    if (!answer.ok) throw new Error("The portal answered " + answer.status);
    return answer.json();
  }

  function failed() {
    if (document.getElementById("systemError")) return;
    const note = document.createElement("div");
    note.id = "systemError";
    note.setAttribute("role", "alert");
    note.textContent = "Something went wrong. Please try again later.";
    document.body.append(note);
  }

  async function apply(reply) {
    if (reply.csrf) page.csrf = reply.csrf; // at once: the former one is used up
    if (reply.delay) await pause(reply.delay);
    for (const [key, value] of Object.entries(reply.session_storage || {})) sessionStorage.setItem(key, value);
    for (const [key, value] of Object.entries(reply.local_storage || {})) localStorage.setItem(key, value);
    if (reply.forget) sessionStorage.removeItem("portalToken");
    if (reply.title) document.title = reply.title;
    if (reply.body !== undefined) {
      document.body.innerHTML = reply.body;
      if (window.drawMenu) window.drawMenu(reply.menu);
    }
    for (const [selector, html] of Object.entries(reply.show || {})) {
      const place = document.querySelector(selector);
      if (!place || drawn.get(place) === html) continue; // unchanged: what is about to be clicked stays where it is
      place.innerHTML = html;
      drawn.set(place, html);
    }
    if (reply.download) location.href = reply.download;
    if (reply.open) window.open(reply.open, "_blank");
    if (reply.go) location.assign(reply.go);
    if (reply.overlay) {
      setTimeout(() => document.body.insertAdjacentHTML("beforeend", reply.overlay.html), reply.overlay.delay);
    }
    if (reply.again) {
      const again = reply.again;
      clearTimeout(page.timers[again.act]);
      page.timers[again.act] = setTimeout(() => act(again.act, again.values || {}), again.delay);
    }
  }

  async function act(name, values) {
    try {
      await apply(
        await call("/api/act/" + name, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(values),
        }),
      );
    } catch (error) {
      failed();
    }
  }

  function values(element) {
    const found = {};
    const scope = element.closest("[data-form]") || document.body;
    for (const input of scope.querySelectorAll("input[name], select[name]")) {
      if (input.type === "checkbox") {
        found[input.name] = found[input.name] || [];
        if (input.checked) found[input.name].push(input.value);
      } else if (input.type !== "radio" || input.checked) {
        found[input.name] = input.value;
      }
      if (input.dataset.keys !== undefined) found[input.name + "_keyed"] = keyed.get(input) || "";
    }
    if (element.dataset.value !== undefined) found.value = element.dataset.value;
    return found;
  }

  function leaveAsked(element) {
    const dialog = document.getElementById("leaveDialog");
    if (!dialog || dialog.contains(element) || !document.querySelector("[data-leave]")) return false;
    dialog.hidden = false;
    dialog.classList.add("backdrop");
    dialog.dataset.next = element.dataset.go || "";
    return true;
  }

  document.addEventListener(
    "click",
    (event) => {
      const backdrops = [...document.querySelectorAll(".backdrop")];
      const under = backdrops.length > 0 && !backdrops.some((each) => each.contains(event.target));
      if (!under) return;
      event.preventDefault(); // what lies under an overlay hears nothing, not even a click made by script
      event.stopPropagation();
    },
    true,
  );

  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-act], [data-go], [data-toggle], [data-close], [data-leave-now]");
    if (!element || element.disabled) return;
    event.preventDefault();
    if (element.dataset.hides) {
      document.querySelectorAll(element.dataset.hides).forEach((each) => (each.hidden = true));
    }
    if (element.dataset.close !== undefined) {
      element.closest(element.dataset.close).remove();
      if (element.dataset.act) act(element.dataset.act, values(element));
    } else if (element.dataset.leaveNow !== undefined) {
      location.assign(document.getElementById("leaveDialog").dataset.next || base + "/Home");
    } else if (element.dataset.toggle) {
      const place = document.querySelector(element.dataset.toggle);
      place.hidden = !place.hidden;
      if (place.id === "leaveDialog") place.classList.toggle("backdrop", !place.hidden);
    } else if (element.dataset.go) {
      if (!leaveAsked(element)) location.assign(element.dataset.go);
    } else {
      act(element.dataset.act, values(element));
    }
  });

  document.addEventListener("dblclick", (event) => {
    const element = event.target.closest("[data-double]");
    if (element) act(element.dataset.double, values(element));
  });

  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.target.querySelector("[data-submits]");
    if (button) button.click();
  });

  document.addEventListener("change", (event) => {
    const element = event.target.closest("[data-change]");
    if (element) act(element.dataset.change, values(element));
    const every = event.target.dataset.all;
    if (every) document.querySelectorAll(every).forEach((each) => (each.checked = event.target.checked));
  });

  // A search box above a list: shows the entries that hold what was typed, a moment later.
  const narrowing = new WeakMap();
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (box.dataset.narrows === undefined) return;
    clearTimeout(narrowing.get(box));
    const narrow = () => {
      const wanted = box.value.trim().toLowerCase();
      for (const entry of document.querySelectorAll(box.dataset.narrows)) {
        entry.hidden = wanted ? !entry.textContent.toLowerCase().includes(wanted) : entry.dataset.far !== undefined;
      }
    };
    narrowing.set(box, setTimeout(narrow, Number(box.dataset.after)));
  });

  // Takes the focus away once, in the middle of a password: what is typed from then on is lost.
  const robbed = new WeakSet();
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.dataset.robbed === undefined || field.value.length !== 4 || robbed.has(field)) return;
    const names = document.querySelector(field.dataset.robbed).value.toLowerCase().split("@")[0].split("+");
    if (!names.includes("focus-stolen")) return;
    robbed.add(field);
    document.querySelector("[data-robs]").focus();
  });

  // A code counts only as far as real key presses put it into its field.
  document.addEventListener(
    "keydown",
    (event) => {
      pending = event.isTrusted && !event.ctrlKey && !event.metaKey ? event.key : null;
    },
    true,
  );
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.dataset.keys === undefined) return;
    const before = keyed.get(field) || "";
    if (event.isTrusted && event.data !== null && event.data === pending) {
      keyed.set(field, field.value.length === 1 ? field.value : before + event.data);
    } else if (event.isTrusted && pending === "Backspace" && before.startsWith(field.value)) {
      keyed.set(field, field.value);
    }
    pending = null;
    const ready = field.value.length >= 6 && keyed.get(field) === field.value;
    const button = document.querySelector("[data-needs-keys]");
    if (button) button.disabled = !ready;
  });

  // One request always hangs, so the page never falls silent.
  async function listen() {
    for (;;) {
      try {
        const reply = await call("/api/events?tab=" + encodeURIComponent(window.name));
        if (reply.stop) return;
      } catch (error) {
        await pause(1000);
      }
    }
  }

  async function start() {
    const where = encodeURIComponent(location.pathname + location.search);
    try {
      await apply(await call("/api/page?path=" + where));
    } catch (error) {
      failed();
    }
    listen();
  }

  start();
})();
