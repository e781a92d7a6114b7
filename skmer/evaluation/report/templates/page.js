"use strict";
(() => {
  const read = (id) => {
    const element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : null;
  };

  // Charts: drawn anew when the width or the colour scheme changes, so that both are followed.
  const charts = read("charts") || {};
  const config = {
    background: "transparent",
    font: "system-ui, sans-serif",
    axis: { labelFlush: false, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500 },
    legend: { symbolFillColor: "#808890", symbolStrokeColor: "#808890", rowPadding: 4, columnPadding: 14, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, labelLimit: 220 },
    view: { stroke: null },
  };
  const draw = async () => {
    for (const [name, spec] of Object.entries(charts)) {
      const place = document.getElementById(`chart-${name}`);
      if (!place) continue;
      const narrow = place.clientWidth < 480;
      const fitted = narrow ? { ...config, axis: { ...config.axis, labelLimit: 110 }, legend: { ...config.legend, columns: 2, labelLimit: 220, layout: { top: { direction: "vertical", anchor: "start" } } } } : config;
      const { view } = await window.vegaEmbed(place, spec, { renderer: "svg", actions: false, config: fitted });
      const svg = place.querySelector("svg");
      if (svg) svg.setAttribute("aria-label", place.dataset.label);
      view.addEventListener("click", (_, item) => {
        if (item && item.datum && item.datum.address) play(item.datum.address, item.datum.clip);
      });
      place.dataset.drawn = "yes";
    }
  };

  // One player for all clips.
  const player = document.getElementById("player");
  const play = (address, name) => {
    player.hidden = false;
    player.querySelector("span").textContent = name;
    const audio = player.querySelector("audio");
    audio.src = address;
    audio.play().catch(() => {
      player.querySelector("span").textContent = `${name} cannot be played here: ${address}`;
    });
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-play]");
    if (button) play(button.dataset.play, button.dataset.name);
  });

  // Tables: a click on a head sorts by the numbers behind the texts.
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        const key = (row) => row.cells[column].dataset.key;
        const rows = [...table.tBodies[0].rows].sort((a, b) => {
          const [x, y] = [key(a), key(b)];
          const order = isNaN(x) || isNaN(y) ? String(x).localeCompare(String(y)) : x - y;
          return down ? -order : order;
        });
        table.querySelectorAll("th[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        table.tBodies[0].append(...rows);
      });
    });
  }
  for (const button of document.querySelectorAll("button[data-more]")) {
    button.addEventListener("click", () => {
      const shown = document.getElementById(button.dataset.more).classList.toggle("all");
      button.setAttribute("aria-pressed", String(shown));
    });
  }

  // What is folded up cannot be opened on paper.
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });

  // Copying.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      const said = button.textContent;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.createElement("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  }

  // Confusion of the chosen configuration.
  const confusions = read("confusions");
  const choice = document.getElementById("configuration");
  if (confusions && choice) {
    const cell = (tag, text, share) => {
      const element = document.createElement(tag);
      element.textContent = text;
      if (share !== undefined) element.style.setProperty("--share", share);
      return element;
    };
    const show = () => {
      const one = confusions.configurations[choice.value];
      const heat = document.querySelector("#confusion tbody");
      heat.replaceChildren(...one.shares.map((shares, i) => {
        const row = document.createElement("tr");
        const head = cell("th", confusions.labels[i]);
        head.scope = "row";
        row.append(head, ...shares.map((share) => cell("td", `${Math.round(100 * share)} %`, share)));
        return row;
      }));
      const classes = document.querySelector("#classes tbody");
      classes.replaceChildren(...one.classes.map((scores, i) => {
        const row = document.createElement("tr");
        const head = cell("th", confusions.labels[i]);
        head.scope = "row";
        row.append(head, ...scores.map((score) => cell("td", score)));
        return row;
      }));
    };
    choice.addEventListener("change", show);
    show();
  }

  if (Object.keys(charts).length) {
    draw();
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (Math.abs(window.innerWidth - width) > 40) { width = window.innerWidth; draw(); }
    });
  }
})();
