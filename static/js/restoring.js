// Follows a restore across the restart: the page renews its part three times a second, then waits until the appliance is ready
// again and goes on. A page of the old state that is not there any more (401, 403, 404) is how the new one shows itself.
(() => {
  "use strict";
  const box = document.querySelector("[data-restoring]");
  const GONE = new Set([401, 403, 404]);
  const PAUSE = 300;
  const LONG = 300;
  let shown = "";
  const wait = () => new Promise((go) => setTimeout(go, PAUSE));

  const ask = async (url, headers) => {
    try {
      return await fetch(url, { headers, cache: "no-store", redirect: "manual" });
    } catch {
      return null;
    }
  };

  const show = (html) => {
    if (html === shown) return;
    shown = html;
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    const before = box.querySelector("[data-step]")?.textContent;
    const now = fresh.querySelector("[data-step]");
    const focused = box.contains(document.activeElement);
    box.replaceChildren(...fresh.childNodes);
    // The words are put in once more only when they changed, so that they are spoken once.
    if (now && now.textContent !== before) {
      const words = now.textContent;
      now.textContent = "";
      requestAnimationFrame(() => { now.textContent = words; });
    }
    if (focused) box.querySelector("button, a")?.focus();
  };

  const note = (words) => {
    const line = box.querySelector(".run-note");
    if (line && line.textContent !== words) line.textContent = words;
  };

  const follow = async () => {
    for (let down = 0; ; await wait()) {
      const answer = await ask(box.dataset.restoring, { "HX-Request": "true", Accept: "text/html" });
      if (answer?.ok) {
        down = 0;
        show(await answer.text());
        if (box.querySelector("[data-ended]")) return;
      } else if (answer && (GONE.has(answer.status) || answer.type === "opaqueredirect")) {
        if ((await ask(box.dataset.ready))?.ok) {
          location.assign(box.dataset.then);
          return;
        }
      } else {
        down += 1;
        show(document.querySelector("[data-restarting]").innerHTML);
        if (down > LONG) note("Framerr does not answer. Its log says why; this page goes on as soon as it does.");
      }
    }
  };
  if (!box) return;
  document.querySelector("[data-without-script]").hidden = true;
  follow();
})();
