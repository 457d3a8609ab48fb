// The form of a new job: an editor that keeps indentation and marks lines, and a check of what is typed by itself.
{
  const form = document.getElementById("new");
  const script = document.getElementById("script");
  if (form && script) {
    const editor = script.parentElement;
    const gutter = document.createElement("span");
    gutter.className = "gutter";
    gutter.setAttribute("aria-hidden", "true");
    editor.prepend(gutter);
    editor.classList.add("numbered");

    const bad = () => new Set([...document.querySelectorAll("[data-line]")].map((item) => Number(item.dataset.line)));
    const number = () => {
      const lines = script.value.split("\n").length;
      const faults = bad();
      const shown = [];
      for (let line = 1; line <= Math.min(lines, 5000); line += 1) {
        const item = document.createElement("span");
        item.textContent = line;
        if (faults.has(line)) item.className = "at-fault";
        shown.push(item);
      }
      gutter.replaceChildren(...shown);
      gutter.scrollTop = script.scrollTop;
    };
    script.addEventListener("scroll", () => { gutter.scrollTop = script.scrollTop; });

    // A new line begins where the one before it began. Tab leaves the field, as it does everywhere.
    script.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const before = script.value.slice(0, script.selectionStart);
      const indent = /[\t ]*/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
      if (!indent) return;
      event.preventDefault();
      // Deprecated, and the only way that can be undone.
      if (!document.execCommand("insertText", false, "\n" + indent)) script.setRangeText("\n" + indent, script.selectionStart, script.selectionEnd, "end");
    });

    // To the line at fault.
    document.addEventListener("click", (event) => {
      const item = event.target.closest("[data-line] a");
      if (!item) return;
      event.preventDefault();
      const line = Number(item.closest("[data-line]").dataset.line);
      const lines = script.value.split("\n");
      const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      script.focus();
      script.setSelectionRange(from, from + (lines[line - 1] || "").length);
      script.scrollTop = Math.max(0, (line - 4) * script.scrollHeight / Math.max(1, lines.length));
    });

    // What the button beside it does, without leaving the page. The last answer counts.
    let waits = 0;
    let asked = 0;
    const check = async () => {
      const mine = asked += 1;
      const sent = new URLSearchParams(new FormData(form));
      sent.set("then", "check");
      const response = await fetch(form.action, { method: "POST", body: sent, headers: { Accept: "text/html" } }).catch(() => null);
      if (mine !== asked || !response || !response.ok || response.redirected) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById("outlook");
      const shown = document.getElementById("outlook");
      if (fresh && shown && mine === asked && fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
      number();
    };
    form.addEventListener("input", (event) => {
      if (event.target === script) number();
      if (event.target.name === "template") return;
      clearTimeout(waits);
      if (form.elements.name.value && form.elements.image.value) waits = setTimeout(check, 700);
    });
    number();
  }
}
