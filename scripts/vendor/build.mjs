// Makes static/web/vendor/ of the packages pinned in package.json. Run by `make vendor`; the result is committed.
// Chrome 80 is the oldest browser seen on ward PCs, so everything is lowered to it.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = join(here, "../../src/wardkeeper/presentation/web/static/web/vendor");
const manifest = (name) => JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

const shared = { bundle: true, minify: true, legalComments: "none", target: ["chrome80"], logLevel: "warning" };
await build({
  ...shared,
  entryPoints: [join(modules, "@tabler/core/dist/css/tabler.css")],
  outfile: join(target, "tabler.css"),
  loader: { ".svg": "dataurl" },
});
await build({
  ...shared,
  bundle: false,
  entryPoints: [join(modules, "htmx.org/dist/htmx.js")],
  outfile: join(target, "htmx.js"),
});
await build({
  ...shared,
  entryPoints: [join(here, "echarts.js")],
  outfile: join(target, "echarts.js"),
  format: "esm",
});

// Severity and priority shapes: told apart without colour, filled with the text's colour.
const shapes = {
  octagon: '<path d="M7.6 1h8.8L23 7.6v8.8L16.4 23H7.6L1 16.4V7.6z"/>',
  triangle: '<path d="M12 1.5 23.5 22H.5z"/>',
  diamond: '<path d="M12 .5 23.5 12 12 23.5.5 12z"/>',
  circle: '<circle cx="12" cy="12" r="10.5"/>',
  ring: '<circle cx="12" cy="12" r="8.5" fill="none" stroke="currentColor" stroke-width="4"/>',
  tick: '<path d="m3 12.5 6 6L21 6.5" fill="none" stroke="currentColor" stroke-width="4"/>',
  unknown:
    '<path d="M7 8.2C7 5 9.3 3.3 12 3.3s5 1.6 5 4.5c0 3.6-5 3.8-5 7.7" fill="none" stroke="currentColor" stroke-width="3.4"/><circle cx="12" cy="20.6" r="2.3"/>',
};
const symbols = Object.entries(shapes).map(
  ([name, body]) => `<symbol id="shape-${name}" viewBox="0 0 24 24" fill="currentColor">${body}</symbol>`,
);
const stroke =
  'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';
const names = readFileSync(join(here, "icons.txt"), "utf8")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"));
for (const name of names) {
  const svg = readFileSync(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
  const body = svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/\s*\n\s*/g, "");
  symbols.push(`<symbol id="${name}" ${stroke}>${body}</symbol>`);
}
writeFileSync(
  join(target, "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`,
);

const lines = [];
for (const name of ["@tabler/core", "@tabler/icons", "htmx.org", "echarts", "zrender", "tslib"]) {
  const { version, license } = manifest(name);
  const file = ["LICENSE", "LICENSE.txt"].find((at) => {
    try {
      return readFileSync(join(modules, name, at));
    } catch {
      return false;
    }
  });
  const plain = name.replace("@", "").replace("/", "-");
  if (file) cpSync(join(modules, name, file), join(target, `${plain}.LICENSE.txt`));
  lines.push(`- ${name} ${version}, ${license}${file ? `: ${plain}.LICENSE.txt` : ""}`);
}
cpSync(join(modules, "echarts/NOTICE"), join(target, "echarts.NOTICE.txt"));
writeFileSync(
  join(target, "README.md"),
  `# Vendored\n\nMade by \`make vendor\` from \`scripts/vendor/\`; change it there. Tabler stays at 1.0.0: later versions\nneed \`color-mix()\` (Chrome 111), and ward PCs run browsers from Chrome 80 on.\n\n${lines.join("\n")}\n`,
);
