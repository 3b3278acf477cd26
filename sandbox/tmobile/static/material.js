// What the pages of this portal do beside the page script: requests of their own, and a search by the Enter key.
(() => {
  "use strict";
  const begun = new WeakSet();

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

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.dataset.enters === undefined) return;
    event.target.closest("[data-form]").querySelector("[data-entered]").click();
  });
})();
