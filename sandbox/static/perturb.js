// Has things come late, as the attributes say that sandbox/markup.py gave them. Without those it does nothing.
(() => {
  "use strict";
  const begun = new WeakSet();

  const detached = new WeakSet(); // templates of lists that are being filled again: what they hold comes after that
  const put = (template, entries) => entries.forEach((each) => template.before(each));

  function come(template) {
    const wait = Number(template.dataset.late);
    const entries = [...template.content.childNodes];
    const half = Number(template.dataset.half || 0);
    const rest = () => {
      if (detached.has(template)) return setTimeout(rest, 50);
      const holder = template.parentNode;
      if (!holder) return;
      holder.querySelectorAll(":scope > [data-former]").forEach((each) => each.remove());
      put(template, entries.slice(half));
      template.remove();
    };
    const begin = () => {
      if (!half) return rest();
      if (detached.has(template)) return setTimeout(begin, 50);
      if (template.parentNode) {
        template.parentNode.querySelectorAll(":scope > [data-former]").forEach((each) => each.remove());
      }
      put(template, entries.slice(0, half));
      setTimeout(rest, wait);
    };
    setTimeout(begin, wait);
  }

  function look(root) {
    const templates = root.matches && root.matches("template") ? [root] : [];
    for (const template of [...templates, ...root.querySelectorAll("template")]) {
      if (begun.has(template)) continue;
      begun.add(template);
      if (template.dataset.late) come(template);
      if (template.dataset.hover) {
        template.parentNode.addEventListener("mouseenter", () => template.replaceWith(template.content), { once: true });
      }
    }
  }

  new MutationObserver((records) => {
    for (const record of records) {
      for (const node of record.addedNodes) if (node.nodeType === 1) look(node);
    }
  }).observe(document, { childList: true, subtree: true });

  // A button that waits for keys: disabled at first, and for a moment after each key.
  const ready = new WeakMap();
  document.addEventListener("keydown", (event) => {
    const form = event.isTrusted && event.target.closest && event.target.closest("[data-form], form");
    if (!form) return;
    for (const button of form.querySelectorAll("[data-after-keys]")) {
      button.disabled = true;
      clearTimeout(ready.get(button));
      ready.set(button, setTimeout(() => (button.disabled = false), Number(button.dataset.afterKeys)));
    }
  });

  // A choice empties the lists below it and fills them again; what was chosen in them is lost.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-refills]");
    if (!form || event.target.tagName !== "SELECT") return;
    const lists = [...form.querySelectorAll("select")];
    for (const list of lists.slice(lists.indexOf(event.target) + 1)) {
      const entries = [...list.childNodes];
      entries.forEach((each) => detached.add(each));
      list.replaceChildren();
      setTimeout(() => {
        entries.forEach((each) => detached.delete(each));
        entries.forEach((each) => (each.selected = false));
        list.append(...entries);
        list.selectedIndex = 0;
      }, Number(form.dataset.refills));
    }
  });
})();
