// Questions that stand in the way until they are answered. The browser's own <dialog> keeps the focus, and closes on
// Escape.

import { h, render } from "./dom.js";

// Ask before something is destroyed. `text`: a paragraph, or several. `input`: {label, value} asks for a line as well.
// Answers null when it was called off, else the text ("" without an input).
export function confirm({ title, text, verb, input }) {
  return new Promise((resolve) => {
    const back = document.activeElement;
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "dialog-title");
    render(
      dialog,
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "dialog-title" }, title),
        [text].flat().map((line) => h("p", {}, line)),
        input &&
          h(
            "label",
            { class: "field" },
            h("span", {}, input.label),
            h("input", { name: "answer", value: input.value ?? "" }),
          ),
        h(
          "div",
          { class: "row end" },
          h(
            "button",
            {
              value: "",
              class: "second",
              type: "button",
              onclick: () => dialog.close(),
              ref: (node) => !input && queueMicrotask(() => node.focus()),
            },
            "Cancel",
          ),
          h("button", { value: "yes", class: "danger" }, verb),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      const answer = dialog.returnValue === "yes" ? (dialog.querySelector("input")?.value ?? "") : null;
      dialog.remove();
      back?.focus?.();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
