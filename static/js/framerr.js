// What HTML cannot do alone, for every page. Nothing here is needed to read, sign in, make or download a backup.
(() => {
  "use strict";
  const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  // htmx: the token on every call that changes something; nothing is sent anywhere else (mode is same-origin).
  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    if (request.method.toUpperCase() !== "GET") request.headers["X-CSRFToken"] = csrf();
  });

  // Menus and sheets are <details>: one open at a time, closed by Escape (focus returns) and by a click elsewhere.
  const openMenus = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });

  // A menu that would leave the window, or hide behind the bottom bar, opens upwards. ("toggle" does not bubble: caught on its way down.)
  document.addEventListener("toggle", (event) => {
    const list = event.target.matches("details.menu[open]") && event.target.querySelector(".menu-list");
    if (!list || event.target.closest(".side")) return;
    event.target.classList.remove("menu-up");
    const room = innerHeight - (document.querySelector(".bar")?.offsetHeight ?? 0);
    const place = list.getBoundingClientRect();
    event.target.classList.toggle("menu-up", place.bottom > room && place.height < place.top);
  }, true);

  // A button with data-dialog="id" opens that <dialog>; data-close inside closes it; a click on the veil too.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    if (event.target.closest("[data-close]") || event.target.matches("dialog")) event.target.closest("dialog")?.close();
  });

  // Copying is offered only where the browser allows it (https or localhost).
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const words = button.querySelector("span");
    const before = words.textContent;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    words.textContent = "Copied";
    setTimeout(() => { words.textContent = before; }, 2000);
  });

  // Show and hide a password.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-secret] > button");
    if (!button) return;
    const field = button.parentElement.querySelector("input");
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.querySelector("span").textContent = shown ? "Hide" : "Show";
    button.querySelector("use").setAttribute("href", button.querySelector("use").getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
    field.focus();
  });

  // File zones: the name of what was chosen, and a look while something hovers. The upload script listens to "change" itself.
  document.addEventListener("change", (event) => {
    const name = event.target.closest("[data-drop]")?.querySelector("[data-drop-name]");
    if (name && event.target.files?.length) name.textContent = event.target.files[0].name;
  });
  for (const [kind, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(kind, (event) => event.target.closest?.("[data-drop]")?.classList.toggle("is-over", over));
  }

  // A submitted form cannot be sent twice; its button keeps the words and shows that something happens.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method === "dialog") return;
    if (event.target.dataset.sent) {
      event.preventDefault();
      return;
    }
    event.target.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.querySelector('[aria-busy="true"]')?.removeAttribute("aria-busy");
    }
  });

  const prepare = (root) => {
    if (navigator.clipboard) for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
    for (const button of root.querySelectorAll("[data-secret] > button[hidden]")) button.hidden = false;
    root.querySelector("[data-focus]")?.focus({ preventScroll: true }); // what stands above a question is read first
    for (const field of root.querySelectorAll("[data-guess-timezone]")) {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      if ([...field.options].some((option) => option.value === zone)) field.value = zone;
    }
  };
  addEventListener("DOMContentLoaded", () => prepare(document));
  document.addEventListener("htmx:after:settle", (event) => prepare(event.target));
})();
