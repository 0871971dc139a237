// The day of a weekly schedule is asked for only when it is weekly. Without this script it is shown and ignored.
(() => {
  "use strict";
  const follow = (form) => {
    const day = form.querySelector("[data-weekly]");
    day.hidden = form.querySelector('input[name="frequency"]:checked')?.value !== "weekly";
  };
  const all = () => document.querySelectorAll("form[data-schedule]").forEach(follow);
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-schedule]");
    if (form) follow(form);
  });
  addEventListener("DOMContentLoaded", all);
  addEventListener("pageshow", all);
  document.addEventListener("htmx:after:settle", all);
})();
