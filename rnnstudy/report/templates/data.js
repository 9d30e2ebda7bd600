// Data files. Each is a script that calls rnnstudyData with its name and its content, so that it
// can be loaded from a disk without a server. A page in one file has the contents inside.
"use strict";
const KEPT_FILES = 60;
const waiting = new Map();
const loaded = new Map();

window.rnnstudyData = (name, text) => {
  const request = waiting.get(name);
  waiting.delete(name);
  if (request) unpack(text).then(request.resolve, request.reject);
};

function load(name) {
  if (loaded.has(name)) {
    const known = loaded.get(name);
    loaded.delete(name);
    loaded.set(name, known);
    return known;
  }
  const content = read(name);
  loaded.set(name, content);
  content.catch(() => loaded.delete(name));
  for (const old of loaded.keys()) {
    if (loaded.size <= KEPT_FILES) break;
    if (old !== "index") loaded.delete(old);
  }
  return content;
}

function read(name) {
  const inside = embedded(name);
  if (inside) return unpack(inside.textContent);
  if (isSingleFile()) {
    return Promise.reject(new Error(
      "This file of limited size does not hold it. The report in the folder of the run does."));
  }
  return new Promise((resolve, reject) => {
    waiting.set(name, { resolve, reject });
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    script.onload = () => script.remove();
    script.onerror = () => {
      waiting.delete(name);
      script.remove();
      reject(new Error(`The file data/${name}.js cannot be read. Keep it beside the page.`));
    };
    document.head.append(script);
  });
}

function isSingleFile() {
  return document.documentElement.hasAttribute("data-single-file");
}

async function unpack(text) {
  const buffer = await inflate(text);
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  return revive(header, buffer, 4 + size);
}

const TYPES = {
  u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array,
  i4: Int32Array, f4: Float32Array, f8: Float64Array,
};

// An array is { data, shape }. Coarse numbers have a lowest value and a step as well.
function revive(value, buffer, first) {
  if (Array.isArray(value)) return value.map((part) => revive(part, buffer, first));
  if (value === null || typeof value !== "object") return value;
  if ("$array" in value) {
    const [type, shape, offset] = value.$array;
    const size = shape.reduce((product, length) => product * length, 1);
    const data = new TYPES[type](buffer, first + offset, size);
    return { data, shape, low: value.low, step: value.step, missing: value.missing };
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, revive(part, buffer, first)]));
}

function embedded(name) {
  return document.querySelector(`script[data-file="${name}"]`);
}

async function inflate(text) {
  if (!("DecompressionStream" in window)) {
    throw new Error("This browser cannot open compressed data. Use a release of 2023 or later.");
  }
  const letters = atob(text.trim());
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const packed = new Blob([bytes]).stream();
  return new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}
