// Lists of jobs.
{
  const list = document.getElementById("list");
  const ticked = document.getElementById("ticked");
  const boxes = () => [...list.querySelectorAll("input[name=id]")];
  const chosen = () => boxes().filter((box) => box.checked);

  // What can be done with what is ticked, and how many that is.
  const count = () => {
    const those = chosen();
    const all = document.getElementById("all");
    if (all) {
      all.hidden = false;
      all.checked = those.length > 0 && those.length === boxes().length;
      all.indeterminate = those.length > 0 && !all.checked;
    }
    if (!ticked) return;
    ticked.classList.toggle("some", those.length > 0);
    for (const button of ticked.querySelectorAll("button")) {
      const wants = button.dataset.for;
      button.disabled = !those.some((box) => !wants || box.dataset.can === wants);
    }
    const note = document.getElementById("count");
    const [one, many] = [note.dataset.one, note.dataset.many];
    const said = those.length > 1 ? many.replace(/1\D?234\D?567/, those.length) : one;
    note.textContent = those.length ? said : "";
  };

  // The list as it is by now at an address; what was ticked stays ticked.
  const renew = async (address) => {
    const says = document.getElementById("waiting");
    const patience = setTimeout(() => { if (says) says.textContent = says.dataset.says; }, 700);
    const response = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    clearTimeout(patience);
    if (says) says.textContent = "";
    if (!response || !response.ok || response.redirected) return false;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("list");
    if (!fresh) return false;
    if (fresh.innerHTML === list.dataset.was) return true;
    list.dataset.was = fresh.innerHTML;
    const was = new Set(chosen().map((box) => box.value));
    const focus = document.activeElement;
    const held = list.contains(focus) ? focus.id || (focus.name === "id" && focus.value) || focus.getAttribute("href") : null;
    list.replaceChildren(...fresh.childNodes);
    for (const box of boxes()) box.checked = was.has(box.value);
    if (held) {
      const same = [...list.querySelectorAll("a, input")].find((one) => one.id === held || one.value === held || one.getAttribute("href") === held);
      if (same) same.focus({ preventScroll: true });
    }
    localize();
    count();
    return true;
  };

  if (list) {
    count();
    list.addEventListener("change", (event) => {
      if (event.target.id === "all") for (const box of boxes()) box.checked = event.target.checked;
      count();
    });
    // An array opens in its place.
    list.addEventListener("click", async (event) => {
      const link = event.target.closest("a[data-swap]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (await renew(link.href)) history.replaceState(null, "", link.href);
      else location.href = link.href;
    });
    // What is told of once is not told again when the page is loaded anew.
    const here = new URL(location.href);
    if (here.searchParams.has("did")) {
      for (const told of ["did", "n", "no"]) here.searchParams.delete(told);
      history.replaceState(null, "", here);
    }
    if ("live" in list.dataset) followJobs(() => { if (getSelection().isCollapsed) renew(location.href); });
  }
}
