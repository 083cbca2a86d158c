"use strict";
(() => {
  // Long lists show their beginning; a button, a filter and printing show the rest.
  for (const list of document.querySelectorAll("[data-first]")) {
    const items = [...list.children];
    const first = Number(list.dataset.first);
    const filter = document.querySelector(`[data-filter="${list.id}"]`);
    const found = document.querySelector(`[data-found="${list.id}"]`);
    const texts = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
    let whole = items.length <= first;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "show-all";
    button.textContent = `Show all ${items.length}`;

    const draw = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let hits = 0;
      for (const item of items) {
        const hit = words.every((word) => texts.get(item).includes(word));
        hits += hit;
        item.hidden = !hit || (!whole && !words.length && hits > first);
      }
      button.hidden = whole || words.length > 0;
      found.textContent = words.length ? `${hits} of ${items.length}` : "";
    };
    button.addEventListener("click", () => { whole = true; draw(); });
    filter.addEventListener("input", draw);
    addEventListener("beforeprint", () => { whole = true; draw(); });
    filter.hidden = false;
    list.after(button);
    draw();
  }

  // Pictures, larger, with what is known of them.
  const viewer = document.getElementById("viewer");
  const stage = viewer.querySelector(".stage");
  let shown = null;
  const show = (item) => {
    shown = item;
    const about = item.querySelector(".about").cloneNode(true);
    about.hidden = false;
    const picture = item.querySelector(".shot").firstElementChild.cloneNode(true);
    stage.replaceChildren(picture, about);
    if (!viewer.open) viewer.showModal();
  };
  const step = (way) => {
    let next = shown;
    do { next = next && next[way]; } while (next && next.hidden);
    if (next) show(next);
  };
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => show(button.closest("li")));
  }
  viewer.querySelector("[data-close]").addEventListener("click", () => viewer.close());
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("close", () => shown && shown.querySelector(".shot").focus());
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") step("nextElementSibling");
    if (event.key === "ArrowLeft") step("previousElementSibling");
  });

  // Which section is being read.
  const links = new Map([...document.querySelectorAll(".links a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id).setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const id of links.keys()) seen.observe(document.getElementById(id));
})();
