// Shows what the shop pushes to this device, and opens its page on a tap. It keeps nothing and reads no other request.
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function ours(link) {
  try {
    const url = new URL(link, self.location.origin);
    return url.protocol === "https:" || url.origin === self.location.origin ? url.href : "";
  } catch (error) {
    return "";
  }
}

self.addEventListener("push", (event) => {
  let news = {};
  try {
    news = event.data ? event.data.json() : {};
  } catch (error) {
    news = {};
  }
  // A browser wants every push shown; without words of its own it still says who calls.
  const title = String(news.title || self.location.hostname);
  event.waitUntil(
    self.registration.showNotification(title, {
      body: String(news.body || ""),
      tag: news.tag ? String(news.tag) : undefined,
      lang: news.lang ? String(news.lang) : undefined,
      dir: "auto",
      icon: "/static/icon.svg",
      data: { link: ours(String(news.link || "")) },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = event.notification.data && event.notification.data.link;
  if (!link) return;
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((open) => {
      const there = open.find((page) => page.url.split("#")[0] === link);
      return there ? there.focus() : self.clients.openWindow(link);
    }),
  );
});
