// The till's camera reads the code of a card into the search field, and sends the form. Browsers that read no codes
// send what the camera sees, a picture after the other, and the server reads it.
(() => {
  "use strict";

  const one = (selector, root = document) => root.querySelector(selector);
  const box = one("#scan");
  const opener = one("[data-scan=open]");
  if (!box || !opener) return;
  const video = one("video", box);
  const said = one("#scan-said");
  const FORMATS = ["qr_code", "ean_13", "ean_8", "code_128"];
  const PAUSE_MS = 400;
  const LONGEST_SIDE = 1280;
  const CARD = /^\+?[0-9]{4,20}$/;
  let stream = null;
  let isOpening = false;

  const say = (text) => { said.textContent = text; };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  // --- Two ways to read a picture: each answers the text of a code, or nothing.
  const byBrowser = async () => {
    if (!("BarcodeDetector" in window)) return null;
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((format) => known.includes(format));
    if (!formats.includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats });
    return async () => (await detector.detect(video))[0]?.rawValue ?? "";
  };
  const byServer = () => {
    const canvas = document.createElement("canvas");
    return async () => {
      const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
      canvas.width = Math.floor(video.videoWidth * scale);
      canvas.height = Math.floor(video.videoHeight * scale);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.7));
      const answer = await fetch("/cashier/scan", { method: "POST", body: picture });
      return answer.status === 200 ? (await answer.json()).text : "";
    };
  };

  const close = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    box.hidden = true;
    opener.hidden = false;
    say("");
  };
  const take = (text) => {
    close();
    const input = one("#padval");
    input.value = text;
    input.form.requestSubmit();
  };
  const look = async (mine) => {
    const read = (await byBrowser()) ?? byServer();
    while (stream === mine) {
      // A picture that came to nothing, for whatever reason, is followed by the next one.
      const text = (video.videoWidth ? await read().catch(() => "") : "").replace(/\s/g, "");
      if (stream !== mine) return;
      if (CARD.test(text)) return take(text);
      if (text) say(box.dataset.foreign);
      await pause(PAUSE_MS);
    }
  };
  const open = async () => {
    if (stream || isOpening) return;
    // Browsers give the camera to secure pages alone.
    if (!navigator.mediaDevices) return say(window.isSecureContext ? said.dataset.missing : said.dataset.insecure);
    isOpening = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: LONGEST_SIDE } },
        audio: false,
      });
    } catch (error) {
      return say(error.name === "NotAllowedError" ? said.dataset.denied : said.dataset.missing);
    } finally {
      isOpening = false;
    }
    box.hidden = false;
    opener.hidden = true;
    say(box.dataset.look);
    video.srcObject = stream;
    await video.play().catch(() => {});
    one("[data-scan=close]", box).focus();
    look(stream);
  };

  opener.hidden = !navigator.mediaDevices && window.isSecureContext;
  opener.addEventListener("click", open);
  one("[data-scan=close]", box).addEventListener("click", () => { close(); opener.focus(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && stream) close(); });
  // The light of the camera must not burn behind another window or page.
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) close(); });
  window.addEventListener("pagehide", () => { if (stream) close(); });
})();
