// The benchmark's guest in JavaScript; `../bench/wit/world.wit` says what each function does.

import { log, tick } from "fixtures:bench/host";

export const operations = {
  execute(input, context) {
    if (input.length === 0) throw { tag: "empty" };
    if (context.deadline === 0n) throw { tag: "refused", val: context.id };
    log("executing");
    return input.reverse();
  },

  add(a, b) {
    return (a + b) >>> 0;
  },

  callHost(times) {
    let value = 0;
    for (let time = 0; time < times; time++) value = tick(value);
    return value;
  },

  callHostText(times) {
    for (let time = 0; time < times; time++) log("executing");
  },
};
