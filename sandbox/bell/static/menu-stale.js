// The menu as a former release drew it: for a page that no longer exists, so nothing appears.
window.drawMenu = () => {
  document.querySelectorAll("[data-drawn]").forEach((each) => each.remove());
};
