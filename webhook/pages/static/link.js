// The token of a sign-in link stands behind its #, which browsers send to no server: this puts it into the form.
"use strict";

function take() {
  const token = location.hash.slice(1);
  if (!token) return;
  document.getElementById("link").value = token;
  document.getElementById("paste").hidden = true;
  history.replaceState(null, "", location.pathname); // the history of the browser does not keep it
}

take();
addEventListener("hashchange", take); // another link, opened in the same tab
