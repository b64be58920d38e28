"use strict";
// Everything that the document says is put into the page as text, never as markup.

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function resolved(specification, part) {
  if (!part || !part.$ref) return part;
  const steps = part.$ref.replace("#/", "").split("/");
  return steps.reduce((inner, step) => inner[step.replaceAll("~1", "/")], specification);
}

function parameters(specification, operation) {
  const rows = (operation.parameters || []).map((one) => {
    const parameter = resolved(specification, one);
    return element("tr", "", element("td", "", element("code", parameter.name)),
      element("td", parameter.in), element("td", parameter.description || ""));
  });
  return rows.length ? [element("h4", "Parameters"), element("table", "", ...rows)] : [];
}

function bodies(specification, operation) {
  const content = operation.requestBody && operation.requestBody.content;
  if (!content) return [];
  return Object.entries(content).flatMap(([type, described]) => {
    const schema = resolved(specification, (described.schema.oneOf || [described.schema])[0]);
    return [element("h4", `Body, ${type}`), element("pre", JSON.stringify(schema, null, 2))];
  });
}

function answers(specification, operation) {
  const rows = Object.entries(operation.responses || {}).map(([status, one]) =>
    element("tr", "", element("td", status),
      element("td", resolved(specification, one).description || "")));
  return [element("h4", "Answers"), element("table", "", ...rows)];
}

function show(specification) {
  const found = Object.entries(specification.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      element("details", "",
        element("summary", "", element("b", method.toUpperCase()),
          element("code", `/rest/v1${path}`), ` ${operation.summary || ""}`),
        ...parameters(specification, operation), ...bodies(specification, operation),
        ...answers(specification, operation))));
  document.getElementById("operations").replaceChildren(
    element("h2", specification.info.title), element("p", specification.info.description), ...found);
}

document.getElementById("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = document.getElementById("said");
  const key = document.getElementById("key").value.trim();
  const answer = await fetch("/rest/v1/", { headers: { apikey: key }, cache: "no-store" });
  const read = await answer.json();
  if (!answer.ok) {
    said.textContent = read.message;
    return;
  }
  said.textContent = `${Object.keys(read.paths).length} tables and views`;
  show(read);
});
