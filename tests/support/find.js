// What a person would take for the `role` called `name`: by its accessible name, the whole of it before a beginning.
// Answers { element }, or { inside } with the summary of the closed details that it lies in, or null.
const [role, name] = arguments;
const kinds = {
  button: "button, input[type=submit], [role=button], summary",
  link: "a[href]",
  field: "input:not([type=hidden]), textarea, select",
  heading: "h1, h2, h3",
};
const words = (text) => (text || "").replace(/\s+/g, " ").trim();
const textOf = (node) => {
  const copy = node.cloneNode(true);
  copy.querySelectorAll("input, textarea, select, .note, .fault, [aria-hidden=true]").forEach((part) => part.remove());
  return words(copy.textContent);
};
const nameOf = (element) => {
  const by = (element.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id));
  const labels = [...(element.labels || [])];
  return words(element.getAttribute("aria-label")) || words(by.filter(Boolean).map(textOf).join(" ")) ||
    words(labels.map(textOf).join(" ")) || textOf(element) || words(element.title || element.value);
};
const candidates = [...document.querySelectorAll(kinds[role])].filter((element) => !element.disabled);
const named = candidates.filter((element) => nameOf(element) === name)
  .concat(candidates.filter((element) => nameOf(element).startsWith(name)));
const shown = named.find((element) => element.checkVisibility({ visibilityProperty: true }));
if (shown) return { element: shown };
for (const element of named) {
  const closed = element.closest("details:not([open])");
  if (closed) return { inside: closed.querySelector("summary") };
}
return null;
