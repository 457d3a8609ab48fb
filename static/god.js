// What makes pages better; they are complete without it.
"use strict";

// Dates in the reader's own words; in lists, how long ago.
// The page's language, in the reader's variety of it where they have one; the zone that they chose, or the browser's.
const { lang, dataset: site } = document.documentElement;
const locale = navigator.languages.find((one) => one.split("-")[0] === lang) || lang;
const timeZone = site.zone || undefined;
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const ago = (date) => {
  const seconds = Math.round((date - Date.now()) / 1000);
  if (Math.abs(seconds) > 6 * 86400) return date.toLocaleDateString(locale, { dateStyle: "medium", timeZone });
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || units[3];
  return words.format(Math.trunc(seconds / size), unit);
};
const localize = () => {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (isNaN(date)) continue;
    const full = date.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
    time.title = full;
    time.textContent = "ago" in time.dataset ? ago(date) : full;
  }
};
localize();
setInterval(localize, 15000);

// What cannot be undone is asked about once more.
document.addEventListener("submit", (event) => {
  const question = event.submitter && event.submitter.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

// Zones to choose from.
const zones = document.getElementById("zones");
if (zones) {
  for (const name of Intl.supportedValuesOf("timeZone")) zones.append(new Option(name, name));
}

// Parts of the page as they are by now, unless the reader is at work in them.
const freshen = async (parts) => {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response || !response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts) {
    const fresh = page.getElementById(part.id);
    if (!fresh || fresh.dataset.phase !== part.dataset.phase) return location.reload();
    const busy = part.contains(document.activeElement) || !getSelection().isCollapsed;
    if (!busy && fresh.innerHTML !== part.dataset.was) {
      part.dataset.was = fresh.innerHTML;
      part.replaceChildren(...fresh.childNodes);
    }
  }
  localize();
};
// Calls when jobs of the reader's have changed, or when that may be: only while the page is seen.
const followJobs = (changed) => {
  const base = site.base;
  let events = null;
  let due = null;
  const soon = (wait) => { due = due || setTimeout(() => { due = null; if (!document.hidden) changed(); }, wait); };
  const listen = () => {
    if (document.hidden) {
      if (events) events.close();
      events = null;
    } else if (!events) {
      events = new EventSource(base + "/api/1.0/events");
      events.addEventListener("job", () => soon(400));
      events.onopen = () => soon(400);
    }
  };
  document.addEventListener("visibilitychange", listen);
  // Events may be lost, and what passes without one (a run time) goes on.
  setInterval(() => soon(0), 10000);
  listen();
};
const now = document.getElementById("now");
const growing = document.querySelector("[data-fresh]");
if (growing) {
  followJobs(() => freshen([growing, now].filter(Boolean)));
}

// A running job's output as it grows, and its page anew when its state changes.
const out = document.getElementById("out");
if (now && out && ["pending", "starting", "running"].includes(now.dataset.phase)) {
  const err = document.getElementById("err");
  const base = site.base;
  const query = "follow=1&from_out=" + out.dataset.at + "&from_err=" + err.dataset.at;
  const events = new EventSource(base + "/api/1.0/task/" + now.dataset.job + "/log?" + query);
  const note = document.getElementById("follow");
  // A page that stays open for days does not keep all that was written.
  const most = 2000000;
  const grow = (element, event) => {
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    element.append(JSON.parse(event.data).text);
    if (element.childNodes.length > 200) element.normalize();
    if (element.firstChild.length > most) element.firstChild.deleteData(0, element.firstChild.length - most);
    if (atEnd) element.scrollTop = element.scrollHeight;
  };
  events.onopen = () => { if (note) note.hidden = false; };
  events.onerror = () => { if (note) note.hidden = true; };
  events.addEventListener("out", (event) => grow(out, event));
  events.addEventListener("err", (event) => {
    document.getElementById("err-part").hidden = false;
    grow(err, event);
  });
  events.addEventListener("status", (event) => {
    if (JSON.parse(event.data).phase !== now.dataset.phase) location.reload();
    else freshen([now]);
  });
  events.addEventListener("end", () => { events.close(); location.reload(); });
  out.scrollTop = out.scrollHeight;
}

// Files to the upload space, one after the other, with how far each is; what does not fit is said before it is sent.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const list = document.getElementById("sending");
  const add = (file) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    const note = document.createElement("span");
    const bar = document.createElement("progress");
    name.textContent = file.name;
    note.className = "note";
    note.textContent = form.dataset.waits;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    item.append(name, note, bar);
    list.append(item);
    return { note, bar };
  };
  const fail = ({ note, bar }, message) => {
    note.className = "failed";
    note.textContent = message;
    bar.hidden = true;
    return false;
  };
  const send = (file, shown) => new Promise((done) => {
    if (form.dataset.left !== "" && file.size > Number(form.dataset.left)) return done(fail(shown, form.dataset.full));
    const request = new XMLHttpRequest();
    request.open("PUT", form.dataset.upload + encodeURIComponent(file.name));
    request.setRequestHeader("X-CSRF-Token", form.dataset.csrf);
    request.upload.onprogress = (event) => {
      shown.bar.value = event.total ? event.loaded / event.total : 1;
      shown.note.textContent = Math.floor(shown.bar.value * 100) + " %";
    };
    request.onerror = () => done(fail(shown, form.dataset.broke));
    request.onload = () => {
      if (request.status === 200) {
        if (form.dataset.left !== "") form.dataset.left = Number(form.dataset.left) - file.size;
        shown.bar.value = 1;
        shown.note.textContent = form.dataset.done;
        return done(true);
      }
      let message = form.dataset.refused;
      try { message = JSON.parse(request.responseText).msg; } catch (error) { /* Not ours. */ }
      done(fail(shown, message));
    };
    request.send(file);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = [...form.elements.file.files].map((file) => [file, null]);
    list.replaceChildren();
    list.hidden = false;
    for (const pair of files) pair[1] = add(pair[0]);
    const button = form.querySelector("button");
    button.disabled = true;
    let all = true;
    for (const [file, shown] of files) all = await send(file, shown) && all;
    button.disabled = false;
    if (all) return location.reload();
    form.reset();
    freshen(["files", "room"].map((id) => document.getElementById(id)));
  });
}
