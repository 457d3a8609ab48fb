// The page of a job.
{
  const log = document.getElementById("out");
  const tail = document.getElementById("tail");

  // Whether the end of the output is kept in sight: until the reader scrolls up, and again when they ask for it.
  if (log && tail) {
    tail.hidden = false;
    const follows = () => tail.getAttribute("aria-pressed") === "true";
    const follow = (on) => tail.setAttribute("aria-pressed", String(on));
    const toEnd = () => { log.scrollTop = log.scrollHeight; };
    tail.addEventListener("click", () => { follow(!follows()); if (follows()) toEnd(); });
    log.addEventListener("wheel", () => requestAnimationFrame(() => follow(log.scrollHeight - log.scrollTop - log.clientHeight < 40)), { passive: true });
    log.addEventListener("keyup", () => follow(log.scrollHeight - log.scrollTop - log.clientHeight < 40));
    new MutationObserver(() => { if (follows()) toEnd(); }).observe(log, { childList: true, characterData: true, subtree: true });
  }

  // Words in what is shown; the form itself looks through the whole file, on a page of its own.
  const look = document.getElementById("look");
  if (look && log && CSS.highlights) {
    const [field, hits] = [look.elements.q, document.getElementById("hits")];
    let found = [];
    let at = -1;
    const search = () => {
      const wanted = field.value.toLowerCase();
      found = [];
      at = -1;
      for (const part of [log, document.getElementById("err")]) {
        const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); wanted && node; node = walk.nextNode()) {
          const text = node.data.toLowerCase();
          for (let from = text.indexOf(wanted); from >= 0 && found.length < 5000; from = text.indexOf(wanted, from + wanted.length)) {
            const range = new Range();
            range.setStart(node, from);
            range.setEnd(node, Math.min(from + wanted.length, node.data.length));
            found.push(range);
          }
        }
      }
      CSS.highlights.set("found", new Highlight(...found));
      CSS.highlights.delete("found-now");
      hits.textContent = !wanted ? "" : found.length ? String(found.length) : hits.dataset.none;
    };
    const show = (step) => {
      at = (at + step + found.length) % found.length;
      const range = found[at];
      CSS.highlights.set("found-now", new Highlight(range));
      const box = range.startContainer.parentElement.closest(".log");
      const [seen, whole] = [range.getBoundingClientRect(), box.getBoundingClientRect()];
      if (tail) tail.setAttribute("aria-pressed", "false");
      box.scrollTop += seen.top - whole.top - box.clientHeight / 2;
      box.scrollIntoView({ block: "nearest" });
      hits.textContent = (at + 1) + " / " + found.length;
    };
    field.addEventListener("input", search);
    look.addEventListener("submit", (event) => {
      // What is not in what is shown may be in what is not.
      if (!found.length) search();
      if (!found.length) return;
      event.preventDefault();
      show(1);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.shiftKey || !found.length) return;
      event.preventDefault();
      show(-1);
    });
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      const was = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = was; }, 2000);
    });
  }
}
