// What pages do beside links and forms. Without it everything works: it only saves steps.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  button.textContent = "Copied";
  document.getElementById("live").textContent = "Copied to the clipboard";
});

document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-check-all]");
  if (!all) return;
  for (const box of document.getElementsByName(all.dataset.checkAll)) box.checked = all.checked;
});

document.documentElement.classList.add("js");
