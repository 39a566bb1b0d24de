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
  let asked = null; // the choices that the shown count belongs to; null where none is known

  const choices = () => {
    const kept = [...new FormData(form)].filter(([name, value]) => !PERSONAL.has(name) && value.trim());
    return new URLSearchParams(kept).toString();
  };

  const offer = (isOffered) => {
    if (button) button.hidden = !isOffered;
  };

  const ask = async () => {
    const wanted = choices();
    asking?.abort(); // what was asked before is no longer wanted, though this may be shown already
    if (wanted === asked) return;
    asking = new AbortController();
    try {
      const answer = await fetch(`${form.dataset.preview}?${wanted}`, { signal: asking.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      place.innerHTML = await answer.text(); // made by our own template, every value escaped
      asked = wanted;
      offer(false);
    } catch (error) {
      if (error.name === "AbortError") return;
      place.replaceChildren(); // better nothing than the count of something else
      asked = null;
      offer(true);
    }
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  };

  const isAsSent = (field) =>
    field.checked === field.defaultChecked && field.value === (field.defaultValue ?? field.value);

  offer(false);
  asked = choices();
  window.addEventListener("pageshow", () => {
    if ([...form.elements].every(isAsSent)) return;
    asked = null; // who came back finds what was chosen, but not its count
    soon();
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
})();
