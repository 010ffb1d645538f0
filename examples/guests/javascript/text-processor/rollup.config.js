// Bundles everything, since neither toolchain resolves packages. Host functions remain imports.

import resolve from "@rollup/plugin-node-resolve";

export default {
  input: "src/guest.js",
  external: /^airssys:/,
  output: { file: process.env.BUNDLE ?? "bundle/guest.js", format: "es" },
  plugins: [resolve()],
};
