// One module of all: neither toolchain looks for packages. What the host provides stays an import.

import resolve from "@rollup/plugin-node-resolve";

export default {
  input: "src/guest.js",
  external: /^airssys:/,
  output: { file: process.env.BUNDLE ?? "bundle/guest.js", format: "es" },
  plugins: [resolve()],
};
