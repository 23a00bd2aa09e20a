// Keeps the tracking page live: any event on the stream fetches the page again and replaces its <main>.
// Offers notifications on this device where the server sends them. The page says everything without this file too.
"use strict";

(function () {
  const main = () => document.getElementById("main");
  const stream = main() && main().dataset.stream;
  let pending = null;
  let loading = false;
  let again = false;

  function relative(time) {
    const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
    const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
    if (seconds < 60) return time.dataset.now;
    if (seconds < 3600) return words.format(-Math.floor(seconds / 60), "minute");
    if (seconds < 86400) return words.format(-Math.floor(seconds / 3600), "hour");
    return words.format(-Math.floor(seconds / 86400), "day");
  }

  function showAge() {
    const time = document.getElementById("updated");
    if (!time) return;
    time.textContent = relative(time);
  }

  // A reader's place in the page survives: the focused element by id or link, and what was opened or closed.
  function remember(root) {
    const active = document.activeElement;
    const inside = root.contains(active) && active !== root;
    return {
      id: inside ? active.id : "",
      href: inside ? active.getAttribute("href") : null,
      summary: inside && active.tagName === "SUMMARY" ? active.parentElement.id : "",
      open: new Map([...root.querySelectorAll("details[id]")].map((box) => [box.id, box.open])),
    };
  }

  function recall(root, state) {
    for (const box of root.querySelectorAll("details[id]")) {
      if (state.open.has(box.id)) box.open = state.open.get(box.id);
    }
    const target =
      (state.id && document.getElementById(state.id)) ||
      (state.summary && root.querySelector("#" + CSS.escape(state.summary) + " > summary")) ||
      (state.href !== null && [...root.querySelectorAll("a[href]")].find((a) => a.getAttribute("href") === state.href));
    if (target) target.focus({ preventScroll: true });
  }

  async function refresh() {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      const old = main();
      if (!fresh || fresh.innerHTML === old.dataset.shown) return;
      const shown = fresh.innerHTML;
      const state = remember(old);
      old.replaceChildren(...fresh.childNodes);
      old.dataset.shown = shown;
      recall(old, state);
      showAge();
      offerPush();
      const announce = document.getElementById("announce");
      announce.textContent = "";
      window.setTimeout(() => { announce.textContent = announce.dataset.text; }, 100);
    } catch (error) {
      // Offline for a moment: the next event, or the stream's reconnection, tries again.
    } finally {
      loading = false;
      if (again) {
        again = false;
        refresh();
      }
    }
  }

  function soon() {
    window.clearTimeout(pending);
    pending = window.setTimeout(refresh, 250);
  }

  function listen() {
    const source = new EventSource(stream);
    for (const name of ["message", "change", "update"]) source.addEventListener(name, soon);
    source.addEventListener("open", soon); // something may have happened since the page was made, or while we were away
    window.addEventListener("pagehide", () => source.close());
    window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }

  // Notifications. The button is shown only where the browser can, the page is secure and the server has a key.
  const decoded = (key) => {
    const text = atob(key.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  };
  let worker = null;
  let key = null;

  async function preparePush() {
    if (!main().dataset.push || !window.isSecureContext || !("PushManager" in window) || !navigator.serviceWorker) return;
    try {
      const answer = await fetch("/v1/push/key");
      const told = answer.ok ? await answer.json() : {};
      key = told.enabled === false ? null : told.key || told.public_key || null;
      if (!key) return;
      worker = await navigator.serviceWorker.register("/static/sw.js", { scope: "/static/" });
      offerPush();
    } catch (error) {
      key = null; // no notifications today; everything else works
    }
  }

  function mark(button, state) {
    button.setAttribute("aria-pressed", String(state === "on"));
    button.querySelector("span").textContent = button.dataset[state];
    button.disabled = state === "denied";
  }

  async function offerPush() {
    const button = document.getElementById("notify-button");
    if (!button || !worker || !key) return;
    const subscription = await worker.pushManager.getSubscription();
    mark(button, Notification.permission === "denied" ? "denied" : subscription ? "on" : "off");
    document.getElementById("notify").hidden = false;
    button.onclick = () => toggle(button);
  }

  async function tell(method, subscription) {
    const answer = await fetch(main().dataset.push, {
      method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(subscription),
    });
    if (!answer.ok) throw new Error(String(answer.status));
  }

  async function toggle(button) {
    button.disabled = true;
    const before = await worker.pushManager.getSubscription();
    try {
      if (before) {
        await tell("DELETE", { endpoint: before.endpoint });
        await before.unsubscribe();
      } else {
        const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: decoded(key) });
        await tell("POST", made.toJSON());
      }
      mark(button, before ? "off" : "on");
    } catch (error) {
      mark(button, Notification.permission === "denied" ? "denied" : before ? "on" : "off");
    } finally {
      if (Notification.permission !== "denied") button.disabled = false;
      button.focus();
    }
  }

  showAge();
  preparePush();
  window.setInterval(showAge, 30000);
  if (stream) listen();
})();
