// Draws the header menu of the e-reports.
window.drawMenu = (menu) => {
  if (!menu || localStorage.getItem("reportsLayout") === "stale") {
    document.querySelectorAll("[data-drawn]").forEach((each) => each.remove());
    return;
  }
  document.querySelector("[data-menu-place]").innerHTML = menu;
};
