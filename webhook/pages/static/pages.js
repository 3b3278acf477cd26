// Instants are sent in UTC; the reader sees the time of the own place.
"use strict";

function showLocalTimes(root) {
  for (const each of root.querySelectorAll("time[datetime]:not([title])")) {
    each.title = each.textContent;
    each.textContent = new Date(each.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

showLocalTimes(document);
// What htmx puts into the page comes later.
new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) if (node instanceof Element) showLocalTimes(node);
  }
}).observe(document.body, { childList: true, subtree: true });
