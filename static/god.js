// What makes pages better; they are complete without it.
"use strict";

// Dates in the reader's own zone and words.
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (!isNaN(date)) {
    time.title = time.textContent;
    time.textContent = date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}

// A running job's output as it grows, and its page anew when its state changes.
const now = document.getElementById("now");
const out = document.getElementById("out");
if (now && out && ["pending", "starting", "running"].includes(now.dataset.phase)) {
  const err = document.getElementById("err");
  const base = document.querySelector(".brand").getAttribute("href").replace(/\/jobs$/, "");
  const query = "follow=1&from_out=" + out.dataset.at + "&from_err=" + err.dataset.at;
  const events = new EventSource(base + "/api/1.0/task/" + now.dataset.job + "/log?" + query);
  const note = document.getElementById("follow");
  const grow = (element, event) => {
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    element.append(JSON.parse(event.data).text);
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
  });
  events.addEventListener("end", () => { events.close(); location.reload(); });
  out.scrollTop = out.scrollHeight;
}
