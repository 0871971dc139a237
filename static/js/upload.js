// Sends a backup in pieces (tus 1.0, vendored client) and goes on where it stopped, also after a reload or a restart.
// The page: templates/backups/_upload.html. What a browser knows of an upload is its fingerprint in localStorage.
(() => {
  "use strict";
  const PIECE = 8 * 1024 * 1024;
  const SMALL_PIECE = 900_000;
  const TOO_LARGE = 413;
  const FULL = 507;
  const box = document.querySelector("[data-upload]");
  if (!box || !window.tus) return;

  const part = (name) => box.querySelector(`[data-upload-${name}]`);
  const [choose, panel, problem, pause, cancel] = ["choose", "run", "problem", "pause", "cancel"].map(part);
  const field = choose.querySelector('input[type="file"]');
  const zone = choose.querySelector("[data-drop]");
  const title = choose.querySelector("[data-drop-name]");
  const invitation = title.textContent;
  const [name, percent, bar, note, spoken] = [".run-name", ".run-percent", "progress", ".run-note", "[data-step]"].map((one) => panel.querySelector(one));
  let upload = null;
  let began = null;

  const size = (bytes) => {
    const units = ["bytes", "KB", "MB", "GB", "TB"];
    let [value, at] = [bytes, 0];
    while (at < 4 && value >= (at ? 999.95 : 1000)) [value, at] = [value / 1000, at + 1];
    return `${at ? value.toFixed(1) : value}\u00a0${units[at]}`;
  };

  const left = (sent, total) => {
    const seconds = (performance.now() - began.at) / 1000;
    if (seconds < 3 || sent <= began.sent) return "";
    const rest = Math.ceil(((total - sent) * seconds) / (sent - began.sent));
    const amount = rest < 90 ? [rest, "second"] : [Math.round(rest / 60), "minute"];
    return `, about ${amount[0]}\u00a0${amount[1]}${amount[0] === 1 ? "" : "s"} left`;
  };

  const progress = (sent, total) => {
    began ??= { at: performance.now(), sent };
    const share = Math.floor((sent / total) * 100);
    percent.textContent = `${share}%`;
    bar.value = share;
    note.textContent = `${size(sent)} of ${size(total)}${left(sent, total)}`;
    const words = `${share - (share % 25)}% of ${name.textContent} sent`;
    if (spoken.textContent !== words) spoken.textContent = words;
  };

  const show = (running) => {
    choose.hidden = running;
    panel.hidden = !running;
  };

  const label = (button, words, icon) => {
    button.lastChild.textContent = words;
    const drawing = button.querySelector("use");
    drawing?.setAttribute("href", drawing.getAttribute("href").replace(/#.*/, `#${icon}`));
  };

  const complain = (sentence) => {
    const banner = box.querySelector("[data-upload-banner]").content.cloneNode(true);
    banner.querySelector(".banner-title").textContent = sentence;
    banner.querySelector(".banner-text")?.remove();
    problem.hidden = false;
    problem.replaceChildren(banner);
  };

  const forgive = () => {
    problem.hidden = true;
    problem.replaceChildren();
  };

  const reset = () => {
    upload = began = null;
    field.value = "";
    title.textContent = invitation;
    show(false);
  };

  const told = (error) => {
    const answer = error.originalResponse;
    try {
      return JSON.parse(answer.getBody()).error.message;
    } catch {
      return answer
        ? `The server answered ${answer.getStatus()}, and not in Framerr’s words: something between this browser and Framerr refused the file.`
        : "The connection broke. What was sent is kept: go on, or choose the same file again later.";
    }
  };

  const isPiece = (error) => error.originalRequest?.getMethod() === "PATCH";

  const failed = (error, file, piece) => {
    const status = error.originalResponse?.getStatus();
    if (status === TOO_LARGE && isPiece(error) && piece > SMALL_PIECE) {
      begin(file, SMALL_PIECE, upload.url); // something in between takes smaller pieces only
      return;
    }
    complain(told(error));
    if (error.originalResponse && status < 500) {
      reset();
      return;
    }
    note.textContent = "Stopped.";
    label(pause, "Go on", "play");
    pause.dataset.paused = "1";
  };

  const finished = () => {
    const uid = upload.url.split("/").pop();
    const form = document.querySelector("[data-upload-form]");
    note.textContent = "Sent. It is checked next.";
    spoken.textContent = "Sent";
    for (const button of [pause, cancel]) button.disabled = true;
    if (!form) {
      location.assign(box.dataset.then.replace("UPLOAD", encodeURIComponent(uid)));
      return;
    }
    form.elements.upload.value = uid;
    form.submit();
  };

  // What cannot be removed now is removed by the server after a day.
  const remove = (ending) => ending.abort(true).catch(() => {});

  const begin = async (file, piece, url) => {
    forgive();
    name.textContent = file.name;
    began = null;
    show(true);
    label(pause, "Pause", "pause");
    delete pause.dataset.paused;
    // Only the upload that is shown speaks; one that was cancelled is silent, whatever still arrives for it.
    const shown = (act) => (...given) => {
      if (upload === mine) act(...given);
    };
    const mine = new tus.Upload(file, {
      endpoint: box.dataset.upload,
      uploadUrl: url ?? null,
      chunkSize: piece,
      retryDelays: [500, 1000, 3000, 5000, 10_000, 20_000],
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name },
      headers: { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content },
      onProgress: shown(progress),
      onSuccess: shown(finished),
      onError: shown((error) => failed(error, file, piece)),
      onUploadUrlAvailable: () => {
        if (upload !== mine) remove(mine);
      },
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        return upload === mine && (status === 0 || status === 409 || status === 423 || (status >= 500 && status !== FULL));
      },
    });
    upload = mine;
    if (!url) {
      const [before] = await mine.findPreviousUploads();
      if (before) mine.resumeFromPreviousUpload(before);
    }
    if (upload === mine) mine.start();
  };

  field.addEventListener("change", () => {
    if (field.files.length) begin(field.files[0], PIECE);
  });
  // A file that misses the zone must not replace the page.
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!zone.contains(event.target)) event.preventDefault();
    });
  }
  pause.addEventListener("click", () => {
    if (pause.dataset.paused) {
      forgive();
      began = null;
      label(pause, "Pause", "pause");
      delete pause.dataset.paused;
      upload.start();
      return;
    }
    upload.abort();
    note.textContent = "Paused. What was sent is kept for a day.";
    label(pause, "Go on", "play");
    pause.dataset.paused = "1";
  });
  cancel.addEventListener("click", () => {
    const ending = upload;
    reset();
    forgive();
    // Before the server answered, nobody knows where the upload is: it is removed as soon as it says so.
    if (ending.url) remove(ending);
  });
  box.hidden = false;
  document.querySelector("[data-without-script]").hidden = true;
})();
