"use strict";
// What all scripts of a page share. Text enters the page only as text, never as markup.
const PAGE = {
  data: JSON.parse(document.getElementById("data").textContent),

  element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  },

  colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  },

  onColours(draw) {
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", draw);
    }
  },

  // The part of the address after #: `#model=a&verdict=timeout`.
  fragment() {
    return new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  },

  address(values) {
    const parts = [...values].filter(([, value]) => value !== "");
    return "#" + parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  },

  show: {
    text: (value) => (value === null || value === "" ? "–" : String(value)),
    state: (value) => PAGE.show.text(value),
    tags: (value) => PAGE.show.text(value),
    count: (value) => (value === null ? "–" : Math.round(value).toLocaleString("en-US")),
    seconds(value) {
      if (value === null) return "–";
      return value < 60 ? `${value.toFixed(2)} s` : PAGE.show.clock(value);
    },
    clock(value) {
      const all = Math.round(value), hours = Math.floor(all / 3600);
      const two = (number) => String(number).padStart(2, "0");
      const minutes = Math.floor((all % 3600) / 60);
      return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
    },
    bytes(value) {
      if (value === null) return "–";
      for (const [unit, name] of [[1024 ** 3, "GiB"], [1024 ** 2, "MiB"], [1024, "KiB"]]) {
        if (value >= unit) return `${(value / unit).toFixed(1)} ${name}`;
      }
      return `${value} bytes`;
    },
  },

  // Where the pointer is, in words, beside it.
  hint(text, event) {
    let box = document.querySelector(".hint");
    if (!text) return box && box.remove();
    if (!box) document.body.append((box = PAGE.element("div", { class: "hint", "aria-hidden": "true" })));
    box.textContent = text;
    const width = box.offsetWidth, left = Math.min(event.clientX + 12, innerWidth - width - 8);
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, event.clientY - box.offsetHeight - 8)}px`;
  },
};

// A page of something that still runs loads itself again, unless the reader stops it.
(() => {
  const seconds = Number(document.body.dataset.refresh || 0);
  if (!seconds) return;
  const stopped = () => { try { return sessionStorage.stopped === "1"; } catch { return false; } };
  const box = PAGE.element("input", { type: "checkbox" });
  box.checked = !stopped();
  box.addEventListener("change", () => {
    try { sessionStorage.stopped = box.checked ? "0" : "1"; } catch { /* holds for this page only */ }
  });
  document.querySelector("h1").after(PAGE.element("p", {}, PAGE.element("label", {}, box, ` load again every ${seconds} s`)));
  setInterval(() => {
    const typing = document.activeElement && document.activeElement.matches("input[type=search], select");
    if (box.checked && !typing) location.reload();
  }, seconds * 1000);
})();
