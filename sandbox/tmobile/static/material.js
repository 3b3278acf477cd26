// What the pages of this portal do beside the page script: requests of their own, and a search by the Enter key.
(() => {
  "use strict";
  const begun = new WeakSet();

  // Material's elements are no elements of HTML: without this they would stand in one line.
  const style = document.createElement("style");
  style.textContent = `
    mat-sidenav, mat-sidenav-content, mat-nav-list, mat-panel-title, mat-list-item, mat-expansion-panel, mat-expansion-panel-header, mat-accordion, mat-option, mat-tree-node, mat-nested-tree-node, mat-radio-button { display: block; padding: 3px; }
    mat-sidenav-container { display: flex; }
    mat-sidenav { width: 220px; }
    mat-select { display: inline-block; min-width: 160px; border: 1px solid #999; padding: 4px; }
    mat-list-item, mat-expansion-panel-header, mat-option, [role=tab], .billinglist-data, mat-select { cursor: pointer; }
    .material { background: #fff; padding: 8px; max-width: 600px; max-height: 70vh; overflow: auto; position: relative; }
    .cdk-overlay-backdrop { position: absolute; inset: 0; max-width: none !important; background: transparent !important; }
  `;
  document.head.append(style);

  // Asks for the documents of the account that is open, and shows the months' usage.
  async function ask(element) {
    const { query, hints, token } = element.dataset;
    const answer = await fetch(query, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
      body: JSON.stringify({ hints }),
    });
    const told = answer.ok ? await answer.json() : {};
    const place = document.querySelector("[data-recent]");
    if (!told.presentationHints || !place) return;
    place.replaceChildren(
      ...told.presentationHints.recentUsageHistory.map((each) => {
        const line = document.createElement("p");
        line.textContent = each.date + ": " + each.data + " GB";
        return line;
      }),
    );
  }

  new MutationObserver(() => {
    for (const element of document.querySelectorAll("[data-query]")) {
      if (begun.has(element)) continue;
      begun.add(element);
      ask(element);
    }
  }).observe(document, { childList: true, subtree: true });

  // A node is said to be open as soon as it was clicked; what is below it comes later.
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-act=expand-node]");
    if (toggle) toggle.setAttribute("aria-expanded", "true");
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.dataset.enters === undefined) return;
    event.target.closest("[data-form]").querySelector("[data-entered]").click();
  });
})();
