// Lists the operations of openapi.json, and lets one try those that only look.
"use strict";

const base = new URL(".", document.location).pathname.replace(/\/$/, "");
// These are GETs too, and ask for something all the same.
const changes = /\/(suspend|resume|reschedule|archive)$|^\/archive\//;

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

async function tryIt(path, inputs, output) {
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") {
      const value = parameter.name === "path" ? encodeURI(input.value) : encodeURIComponent(input.value);
      path = path.replace(`{${parameter.name}}`, value);
    } else if (input.value) {
      query.set(parameter.name, input.value);
    }
  }
  const token = document.getElementById("token").value.trim();
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  output.hidden = false;
  output.textContent = "…";
  try {
    const answer = await fetch(`${base}${path}${query.size ? `?${query}` : ""}`, { headers });
    const text = await answer.text();
    let shown = text.slice(0, 100000);
    try { shown = JSON.stringify(JSON.parse(text), null, 2).slice(0, 100000); } catch { /* not JSON: as it is */ }
    output.textContent = `${answer.status} ${answer.headers.get("content-type") || ""}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function form(path, operation) {
  const output = element("pre", { hidden: true });
  const inputs = [];
  const made = element("form", {});
  for (const parameter of operation.parameters) {
    if (parameter.name === "follow") continue;
    const input = element("input", { name: parameter.name, required: parameter.in === "path" && parameter.name !== "path" });
    inputs.push([parameter, input]);
    made.append(element("p", {}, element("label", {}, `${parameter.name} `, input)));
  }
  made.append(element("button", { type: "submit" }, "Try it"), output);
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    tryIt(path, inputs, output);
  });
  return made;
}

async function list() {
  const place = document.getElementById("operations");
  const described = await (await fetch(`${base}/openapi.json`)).json();
  place.replaceChildren();
  for (const [path, methods] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const summary = element("summary", {},
        element("span", { className: "method" }, method.toUpperCase()),
        element("span", { className: "path" }, path), ` — ${operation.summary}`);
      const row = element("details", {}, summary);
      if (operation.requestBody) {
        const name = operation.requestBody.content["application/json"].schema.$ref.split("/").pop();
        const schema = described.components.schemas[name];
        row.append(element("pre", {}, JSON.stringify(schema.example || schema.properties, null, 2)));
      }
      if (method === "get" && !changes.test(path)) row.append(form(path, operation));
      place.append(row);
    }
  }
}

list().catch((error) => { document.getElementById("operations").textContent = String(error); });
