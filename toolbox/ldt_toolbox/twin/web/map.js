"use strict";
// Draws the features of the twin on a canvas in Web Mercator; asks nothing of any other host.

(() => {
  // Okabe and Ito's colours, told apart with each kind of colour blindness; shapes tell the rest
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
  const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
  const EARTH = 6378137, WIDEST = 18, PAGES = 5;
  const root = document.getElementById("map");
  const canvas = root.querySelector("canvas");
  const context = canvas.getContext("2d");
  const status = root.querySelector(".status");
  const details = root.querySelector(".details");
  const most = Number(root.dataset.most);
  const layers = [];
  const view = { x: 0, y: 0, scale: 1 };
  let everything = null, picked = null, due = false;

  const projected = ([lon, lat]) => [
    EARTH * lon * Math.PI / 180,
    EARTH * Math.asinh(Math.tan(Math.max(-85, Math.min(85, lat)) * Math.PI / 180)),
  ];

  // rings, lines and points of a geometry in metres
  function parts(geometry) {
    const map = { points: [], lines: [], polygons: [] };
    const add = (type, at) => {
      if (type === "Point") map.points.push(projected(at));
      else if (type === "LineString") map.lines.push(at.map(projected));
      else if (type === "Polygon") map.polygons.push(at.map((ring) => ring.map(projected)));
      else if (type.startsWith("Multi")) at.forEach((one) => add(type.slice(5), one));
    };
    const walk = (one) => one.type === "GeometryCollection"
      ? one.geometries.forEach(walk) : add(one.type, one.coordinates);
    walk(geometry);
    return map;
  }

  function boxOf(shape) {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x, y] of [...shape.points, ...shape.lines.flat(), ...shape.polygons.flat(2)]) {
      box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
    }
    return box;
  }

  const wider = (a, b) => a === null ? b
    : [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
  const size = () => [canvas.clientWidth, canvas.clientHeight];
  function onScreen([x, y]) {
    const [width, height] = size();
    return [width / 2 + (x - view.x) / view.scale, height / 2 - (y - view.y) / view.scale];
  }

  function showAll() {
    if (everything === null) return;
    const [width, height] = size();
    view.x = (everything[0] + everything[2]) / 2;
    view.y = (everything[1] + everything[3]) / 2;
    view.scale = Math.max((everything[2] - everything[0]) / (width * 0.9),
      (everything[3] - everything[1]) / (height * 0.9), 0.2);
    draw();
  }

  function zoom(factor, at = null) {
    const [width, height] = size();
    const [px, py] = at || [width / 2, height / 2];
    const x = view.x + (px - width / 2) * view.scale, y = view.y - (py - height / 2) * view.scale;
    const scale = Math.min(200000, Math.max(0.02, view.scale * factor));
    view.x = x - (px - width / 2) * scale;
    view.y = y + (py - height / 2) * scale;
    view.scale = scale;
    draw();
  }

  function marker(target, shape, x, y, r) {
    target.beginPath();
    if (shape === "circle") target.arc(x, y, r, 0, 2 * Math.PI);
    else if (shape === "square") target.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7);
    else if (shape === "triangle") {
      target.moveTo(x, y - r * 1.1); target.lineTo(x + r, y + r * 0.8); target.lineTo(x - r, y + r * 0.8);
    } else if (shape === "diamond") {
      target.moveTo(x, y - r * 1.2); target.lineTo(x + r, y); target.lineTo(x, y + r * 1.2); target.lineTo(x - r, y);
    } else {
      const t = r * 0.35;
      for (const [a, b] of [[-t, -r], [t, -r], [t, -t], [r, -t], [r, t], [t, t], [t, r], [-t, r], [-t, t], [-r, t], [-r, -t], [-t, -t]]) target.lineTo(x + a, y + b);
    }
    target.closePath();
  }

  function trace(line) {
    line.forEach((at, i) => {
      const [x, y] = onScreen(at);
      if (i) context.lineTo(x, y); else context.moveTo(x, y);
    });
  }

  function paint(feature, layer, strong) {
    const { shape } = feature;
    context.strokeStyle = strong ? "#000" : layer.colour;
    context.lineWidth = strong ? 3 : 1.2;
    for (const polygon of shape.polygons) {
      context.beginPath();
      polygon.forEach((ring) => { trace(ring); context.closePath(); });
      context.globalAlpha = strong ? 0.6 : 0.3;
      context.fillStyle = layer.colour;
      context.fill("evenodd");
      context.globalAlpha = 1;
      context.stroke();
    }
    context.lineWidth = strong ? 5 : 2.5;
    for (const line of shape.lines) { context.beginPath(); trace(line); context.stroke(); }
    for (const point of shape.points) {
      const [x, y] = onScreen(point);
      marker(context, layer.mark, x, y, strong ? 9 : 5.5);
      context.fillStyle = layer.colour;
      context.fill();
      context.strokeStyle = strong ? "#000" : "#fff";
      context.lineWidth = strong ? 3 : 1;
      context.stroke();
    }
  }

  function drawScale(height) {
    const lat = 2 * Math.atan(Math.exp(view.y / EARTH)) - Math.PI / 2;
    const metres = view.scale * Math.cos(lat);
    let length = 10 ** Math.floor(Math.log10(metres * 160));
    for (const factor of [5, 2]) if (length * factor / metres <= 160) { length *= factor; break; }
    const text = length >= 1000 ? `${length / 1000} km` : `${Number(length.toPrecision(1))} m`;
    context.fillStyle = context.strokeStyle = "#1d2a31";
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(14, height - 20); context.lineTo(14, height - 14);
    context.lineTo(14 + length / metres, height - 14); context.lineTo(14 + length / metres, height - 20);
    context.stroke();
    context.font = "13px system-ui, sans-serif";
    context.fillText(text, 18, height - 20);
  }

  function paintAll() {
    due = false;
    const [width, height] = size(), ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const w = view.scale * width / 2, h = view.scale * height / 2, margin = view.scale * WIDEST;
    for (const layer of layers.filter((each) => each.on)) {
      for (const feature of layer.features) {
        const box = feature.box;
        if (box[2] + margin < view.x - w || box[0] - margin > view.x + w
          || box[3] + margin < view.y - h || box[1] - margin > view.y + h) continue;
        paint(feature, layer, false);
      }
    }
    if (picked && picked.layer.on) paint(picked.feature, picked.layer, true);
    drawScale(height);
    root.dataset.view = JSON.stringify([view.x, view.y, view.scale]);
  }

  function draw() {
    if (!due) { due = true; requestAnimationFrame(paintAll); }
  }

  function inside([x, y], polygon) {
    let odd = false;
    for (const ring of polygon) {
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [xi, yi] = ring[i], [xj, yj] = ring[j];
        if ((yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) odd = !odd;
      }
    }
    return odd;
  }

  function distance([x, y], line) {
    let best = Infinity;
    for (let i = 1; i < line.length; i++) {
      const [ax, ay] = line[i - 1], dx = line[i][0] - ax, dy = line[i][1] - ay;
      const t = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      best = Math.min(best, Math.hypot(x - ax - t * dx, y - ay - t * dy));
    }
    return best;
  }

  // points and lines lie over areas, and small areas over large ones
  function hit(at) {
    const reach = 9 * view.scale;
    let area = null, near = null, least = reach;
    for (const layer of layers.filter((each) => each.on)) {
      for (const feature of layer.features) {
        const { shape, box } = feature;
        if (at[0] < box[0] - reach || at[0] > box[2] + reach || at[1] < box[1] - reach || at[1] > box[3] + reach) continue;
        for (const point of shape.points) {
          const d = Math.hypot(at[0] - point[0], at[1] - point[1]);
          if (d <= least) { least = d; near = { layer, feature }; }
        }
        for (const line of shape.lines) {
          const d = distance(at, line);
          if (d <= least) { least = d; near = { layer, feature }; }
        }
        if (!(area && area.feature.area < feature.area) && shape.polygons.some((polygon) => inside(at, polygon))) area = { layer, feature };
      }
    }
    return near || area;
  }

  function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  function pick(found) {
    picked = found;
    details.replaceChildren();
    if (!found) {
      details.append(element("p", "Nothing is there."));
    } else {
      const link = element("a", found.feature.id);
      link.href = `/collections/${encodeURIComponent(found.layer.id)}/items/${encodeURIComponent(found.feature.id)}?f=html`;
      const head = element("h3", "");
      head.append(link);
      const table = document.createElement("table");
      for (const [name, value] of Object.entries(found.feature.properties)) {
        const row = table.insertRow();
        const cell = element("th", name);
        cell.scope = "row";
        row.append(cell, element("td", typeof value === "string" ? value : JSON.stringify(value)));
      }
      details.append(head, table);
    }
    draw();
  }

  function step(by) {
    const all = layers.filter((each) => each.on).flatMap((layer) => layer.features.map((feature) => ({ layer, feature })));
    if (!all.length) return;
    const at = picked ? all.findIndex((each) => each.feature === picked.feature) : -1;
    const next = all[(at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by + all.length) % all.length];
    const box = next.feature.box;
    view.x = (box[0] + box[2]) / 2;
    view.y = (box[1] + box[3]) / 2;
    pick(next);
  }

  let held = null;
  const point = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    held = { at: point(event), moved: false };
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("held");
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const at = point(event), dx = at[0] - held.at[0], dy = at[1] - held.at[1];
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    view.x -= dx * view.scale;
    view.y += dy * view.scale;
    held = { at, moved: true };
    draw();
  });
  canvas.addEventListener("pointerup", (event) => {
    const was = held;
    held = null;
    canvas.classList.remove("held");
    if (!was || was.moved) return;
    const [width, height] = size(), [px, py] = point(event);
    pick(hit([view.x + (px - width / 2) * view.scale, view.y - (py - height / 2) * view.scale]));
  });
  canvas.addEventListener("pointercancel", () => { held = null; canvas.classList.remove("held"); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(1.0015 ** event.deltaY, point(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = 60 * view.scale;
    const does = {
      ArrowLeft: () => { view.x -= by; }, ArrowRight: () => { view.x += by; },
      ArrowUp: () => { view.y += by; }, ArrowDown: () => { view.y -= by; },
      "+": () => zoom(1 / 1.5), "=": () => zoom(1 / 1.5), "-": () => zoom(1.5), 0: showAll,
      n: () => step(1), p: () => step(-1),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (does) { event.preventDefault(); does(); draw(); }
  });
  root.querySelector(".zoom").addEventListener("click", (event) => {
    ({ in: () => zoom(1 / 1.5), out: () => zoom(1.5), all: showAll })[event.target.dataset.do]?.();
  });
  new ResizeObserver(draw).observe(canvas);

  function symbol(svg, layer) {
    const path = [], r = 6;
    marker({
      beginPath() {}, closePath() { path.push("Z"); },
      moveTo(x, y) { path.push(`M${x} ${y}`); },
      lineTo(x, y) { path.push(`${path.length ? "L" : "M"}${x} ${y}`); },
      rect(x, y, w, h) { path.push(`M${x} ${y}h${w}v${h}h${-w}`); },
      arc(x, y, q) { path.push(`M${x - q} ${y}a${q} ${q} 0 1 0 ${2 * q} 0a${q} ${q} 0 1 0 ${-2 * q} 0`); },
    }, layer.mark, 0, 0, r);
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", "path");
    drawn.setAttribute("d", path.join(""));
    drawn.setAttribute("fill", layer.colour);
    svg.append(drawn);
  }

  async function load(layer) {
    layer.asked = true;
    for (let page = 0; page < PAGES && (page === 0 || layer.shown < layer.all); page++) {
      const path = `/collections/${encodeURIComponent(layer.id)}/items`;
      const answer = await fetch(`${path}?limit=${most}&offset=${page * most}&f=json`);
      if (!answer.ok) throw new Error(`${layer.id}: ${answer.status}`);
      const found = await answer.json();
      found.features.forEach((each) => add(layer, each));
      layer.shown += found.numberReturned;
      layer.all = found.numberMatched;
    }
    const sizes = layer.features.map((each) => each.area);
    layer.area = sizes.reduce((sum, each) => sum + each, 0) / (sizes.length || 1);
    layers.sort((a, b) => b.area - a.area);
  }

  function add(layer, { id, geometry, properties }) {
    if (!geometry) return;
    const shape = parts(geometry), box = boxOf(shape);
    if (!Number.isFinite(box[0])) return;
    const area = shape.polygons.length ? (box[2] - box[0]) * (box[3] - box[1]) : 0;
    layer.features.push({ id, properties, shape, box, area });
    everything = wider(everything, box);
  }

  // a collection is asked for when it is first switched on
  function follow(box, i) {
    const layer = {
      id: box.dataset.collection, on: box.checked, features: [], asked: false, shown: 0, all: 0, area: 0,
      colour: COLOURS[i % COLOURS.length], mark: SHAPES[i % SHAPES.length],
    };
    symbol(box.parentElement.querySelector("svg"), layer);
    layers.push(layer);
    box.addEventListener("change", async () => {
      layer.on = box.checked;
      if (layer.on && !layer.asked) tell([await Promise.allSettled([load(layer)])]);
      draw();
    });
  }

  function tell(results) {
    const shown = layers.reduce((sum, each) => sum + each.shown, 0);
    const all = layers.reduce((sum, each) => sum + each.all, 0);
    const failed = results.flat().filter((each) => each.status === "rejected").length;
    status.textContent = layers.length === 0 ? "Nothing in the twin has a place yet."
      : `${shown} of ${all} features are on the map`
        + (shown < all ? ` (the first ${PAGES * most} of each collection)` : "")
        + (failed ? `; ${failed} collections could not be read` : "");
  }

  root.querySelectorAll("[data-collection]").forEach(follow);
  Promise.allSettled(layers.filter((each) => each.on).map(load)).then((results) => {
    tell(results);
    showAll();
    draw();
    root.dataset.ready = "true";
  });
})();
