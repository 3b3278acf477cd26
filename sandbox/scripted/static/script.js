// Draws every page from what the server answers, as the real portal's application does: the document itself is empty.
(() => {
  "use strict";
  const base = document.documentElement.dataset.base;
  // timers: name of an act -> when it is called again; where: the page that is drawn, which the address need not say
  const page = { csrf: "", timers: {}, where: location.pathname + location.search, single: false };
  const keyed = new WeakMap(); // code field -> what real key events put into it
  const drawn = new WeakMap(); // place -> the HTML that it shows
  let pending = null;

  // The window's name tells tabs apart and, unlike storage, is not carried over into another tab.
  if (!window.name.startsWith("tab-")) window.name = "tab-" + Math.random().toString(36).slice(2);

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  function headers() {
    const sent = { "X-CSRF-Token": page.csrf, "X-Page": page.where };
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

  // Goes to another page: by its address, or by drawing it into this document.
  async function go(address) {
    const url = new URL(address, location.href);
    if (!page.single || url.origin !== location.origin || !url.pathname.startsWith(base + "/")) {
      location.assign(address);
      return;
    }
    Object.values(page.timers).forEach(clearTimeout);
    page.where = url.pathname + url.search;
    await draw();
  }

  // Begins a download: by an address, by a link that a script presses, by what a script has fetched, or in a new tab.
  async function fetchFile(address, way) {
    if (way === "tab") {
      window.open(address, "_blank");
      return;
    }
    if (!way) {
      location.href = address;
      return;
    }
    const link = document.createElement("a");
    link.href = address;
    link.download = "";
    if (way === "blob") {
      const answer = await fetch(address);
      link.href = URL.createObjectURL(await answer.blob());
      link.download = /filename="([^"]*)"/.exec(answer.headers.get("Content-Disposition") || "")?.[1] || "file";
    }
    link.click();
  }

  // Draws a page; what an earlier one has left may stay below it, without its hooks.
  function show(html, remains) {
    const former = document.body.querySelector("main");
    document.body.innerHTML = html;
    if (!remains || !former) return;
    const rest = document.createElement("aside");
    rest.hidden = remains === "hidden";
    rest.append(former);
    rest.querySelectorAll("aside, template, iframe").forEach((each) => each.remove());
    for (const each of rest.querySelectorAll("*")) {
      for (const name of each.getAttributeNames()) if (name.startsWith("data-")) each.removeAttribute(name);
      if (each.id && document.getElementById(each.id)) each.removeAttribute("id");
    }
    document.body.append(rest);
  }

  // Shows HTML in a place, once that is there: it may come late.
  function fill(selector, html) {
    const place = document.querySelector(selector);
    if (!place && document.querySelector("template[data-late]")) {
      setTimeout(fill, 100, selector, html);
      return;
    }
    // Unchanged: what is about to be clicked stays where it is. A list loses its choice even so.
    if (!place || (place.tagName !== "SELECT" && drawn.get(place) === html)) return;
    place.innerHTML = html;
    drawn.set(place, html);
  }

  async function apply(reply) {
    if (reply.single !== undefined) page.single = reply.single;
    if (reply.csrf) page.csrf = reply.csrf; // at once: the former one is used up
    if (reply.delay) await pause(reply.delay);
    for (const [key, value] of Object.entries(reply.session_storage || {})) sessionStorage.setItem(key, value);
    for (const [key, value] of Object.entries(reply.local_storage || {})) localStorage.setItem(key, value);
    if (reply.forget) sessionStorage.removeItem("portalToken");
    if (reply.title) document.title = reply.title;
    if (reply.body !== undefined) {
      show(reply.body, reply.remains);
      if (window.drawMenu) window.drawMenu(reply.menu);
    }
    if (reply.closes) document.querySelectorAll(reply.closes).forEach((each) => each.remove());
    Object.entries(reply.show || {}).forEach(([selector, html]) => fill(selector, html));
    if (reply.download) await fetchFile(reply.download, reply.way);
    if (reply.open) window.open(reply.open, "_blank");
    if (reply.go) await go(reply.go);
    if (reply.overlay) {
      setTimeout(() => document.body.insertAdjacentHTML("beforeend", reply.overlay.html), reply.overlay.delay);
    }
    if (reply.again) {
      const again = reply.again;
      clearTimeout(page.timers[again.act]);
      page.timers[again.act] = setTimeout(() => act(again.act, again.values || {}), again.delay);
    }
    // Last: the page around a frame may take the frame away.
    if (reply.parent && window.parent !== window) await window.parent.portalApply(reply.parent);
  }
  window.portalApply = apply;

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
      const name = input.dataset.name || input.name;
      if (input.type === "checkbox") {
        found[name] = found[name] || [];
        if (input.checked) found[name].push(input.value);
      } else if (input.type !== "radio" || input.checked) {
        found[name] = input.value;
      }
      if (input.dataset.keys !== undefined) found[name + "_keyed"] = keyed.get(input) || "";
    }
    if (element.dataset.value !== undefined) found.value = element.dataset.value;
    return found;
  }

  function leaveAsked(element) {
    const dialog = document.querySelector("[data-leave-dialog]");
    if (!dialog || dialog.contains(element) || !document.querySelector("[data-leave]")) return false;
    dialog.hidden = false;
    dialog.toggleAttribute("data-backdrop", true);
    dialog.dataset.next = element.dataset.go || "";
    return true;
  }

  document.addEventListener(
    "click",
    (event) => {
      const backdrops = [...document.querySelectorAll("[data-backdrop]")];
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
      const dialog = document.querySelector("[data-leave-dialog]");
      go(dialog.dataset.next || dialog.dataset.home);
    } else if (element.dataset.toggle) {
      const place = document.querySelector(element.dataset.toggle);
      place.hidden = !place.hidden;
      if (element.hasAttribute("aria-expanded")) element.setAttribute("aria-expanded", String(!place.hidden));
      if (place.dataset.stays && !place.hidden) setTimeout(() => (place.hidden = true), Number(place.dataset.stays));
      if (place.dataset.leaveDialog !== undefined) place.toggleAttribute("data-backdrop", !place.hidden);
    } else if (element.dataset.go) {
      if (!leaveAsked(element)) go(element.dataset.go);
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

  // A search box whose list the portal makes: it is asked a moment after the last key.
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (box.dataset.asks === undefined) return;
    clearTimeout(narrowing.get(box));
    narrowing.set(box, setTimeout(() => act(box.dataset.asks, values(box)), Number(box.dataset.after)));
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
    const group = field.closest("[data-boxes]"); // a code in boxes of one character: each leads to the next
    const fields = group ? [...group.querySelectorAll("[data-keys]")] : [field];
    const pressed = fields.every((each) => (keyed.get(each) || "") === each.value);
    const ready = pressed && fields.reduce((length, each) => length + each.value.length, 0) >= 6;
    const button = document.querySelector("[data-needs-keys]");
    if (button) button.disabled = !ready;
    const next = group && field.value && keyed.get(field) === field.value && fields[fields.indexOf(field) + 1];
    if (next) next.focus();
  });

  // A button that wakes when its field has lost the focus.
  document.addEventListener("focusout", (event) => {
    const button = event.target.dataset.enables && document.querySelector(event.target.dataset.enables);
    if (button) button.disabled = !event.target.value;
  });

  // A form's button has the class `disabled` until one of its fields has another value than it was drawn with.
  function isChanged(field) {
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
    const drawnOption = field.querySelector("option[selected]") || field.options[0];
    return drawnOption !== undefined && field.value !== drawnOption.value;
  }
  function wake(form) {
    if (!form.isConnected) return;
    const button = form.querySelector(form.dataset.wakes);
    if (button) button.classList.toggle("disabled", ![...form.querySelectorAll("input, select")].some(isChanged));
    else setTimeout(wake, 50, form); // it may come late
  }
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest("[data-wakes]");
      if (form) wake(form);
    });
  }

  // Escape closes a dialog, also when it is pressed in the frame that the dialog holds.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const around = window.parent !== window ? window.parent.document : document;
    around.querySelectorAll("[data-escapes]").forEach((each) => each.remove());
  });

  // One request of a tab always hangs, so the page never falls silent.
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

  async function draw() {
    try {
      await apply(await call("/api/page?path=" + encodeURIComponent(page.where)));
    } catch (error) {
      failed();
    }
  }

  draw().then(() => window.parent === window && listen());
})();
