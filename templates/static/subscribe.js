// While a person chooses, shows how much would have come. Without it the "Show" button does the same.
(() => {
  "use strict";
  const form = document.querySelector("[data-preview]");
  const place = document.getElementById("preview");
  const button = document.getElementById("show");
  if (!form || !place || !window.fetch) return;

  const PERSONAL = new Set(["email", "website", "commercial"]);
  const WAIT_MS = 450;
  let timer = 0;
  let asking = null;
  let asked = "";

  const choices = () => {
    const kept = [...new FormData(form)].filter(([name, value]) => !PERSONAL.has(name) && value.trim());
    return new URLSearchParams(kept).toString();
  };

  const ask = async () => {
    const wanted = choices();
    if (wanted === asked) return;
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.preview}?${wanted}`, { signal: asking.signal });
      if (!answer.ok) return;
      place.innerHTML = await answer.text(); // made by our own template, every value escaped
      asked = wanted;
    } catch (error) {
      if (error.name !== "AbortError") asked = "";
    }
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  };

  if (button) button.hidden = true;
  asked = choices();
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
})();
