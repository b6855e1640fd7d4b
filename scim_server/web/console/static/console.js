// The console works without this file; it adds the viewer's time zone and buttons that copy.
"use strict";
(function () {
  var shape = { dateStyle: "medium", timeStyle: "short" };
  function localize(root) {
    root.querySelectorAll("time[datetime]").forEach(function (element) {
      var moment = new Date(element.getAttribute("datetime"));
      if (!isNaN(moment)) element.textContent = moment.toLocaleString(undefined, shape);
    });
  }
  function offerCopies(root) {
    root.querySelectorAll("button[data-copy]").forEach(function (button) {
      if (!navigator.clipboard) return;
      button.hidden = false;
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent).then(function () {
          button.textContent = "Copied";
        });
      });
    });
  }
  function prepare(root) { localize(root); offerCopies(root); }
  document.addEventListener("DOMContentLoaded", function () { prepare(document); });
  document.addEventListener("htmx:afterSwap", function (event) { prepare(event.target.parentNode || document); });
})();
