// The things of the page that a keyboard must reach, in their order, numbered; and which one has the focus, and whether
// it can be seen there; but for what says that it is reached elsewhere. Answers { all: [name..], at: number or -1, seen: bool }.
const wanted = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
const named = (element) => element.getAttribute("aria-label") || element.name || element.textContent.trim().slice(0, 40);
const all = [...document.querySelectorAll(wanted)].filter((element) =>
  !element.disabled && element.getAttribute("tabindex") !== "-1" && element.checkVisibility({ visibilityProperty: true }));
const focused = document.activeElement;
const box = focused.getBoundingClientRect();
const style = getComputedStyle(focused);
const inView = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight && box.width > 0;
const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
return { all: all.map((element) => element.localName + " " + named(element)), at: all.indexOf(focused), seen: inView && outlined };
