"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  if (rows.length < 4) continue;
  const text = (row, column) => row.cells[column].textContent;
  const number = (said) => {
    const plain = said.replace(/[,%\s]/g, "").replace(/^[<>]/, "");
    return plain === "" ? NaN : Number(plain);
  };
  Array.from(table.tHead.rows[0].cells).forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    button.title = "Sort by this column";
    cell.textContent = "";
    cell.append(button);
    button.addEventListener("click", () => {
      const up = cell.getAttribute("aria-sort") !== "ascending";
      for (const other of cell.parentNode.cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", up ? "ascending" : "descending");
      const numeric = cell.classList.contains("n");
      const sorted = rows.slice().sort((a, b) => {
        const left = text(a, column), right = text(b, column);
        // What is blank comes last, whichever way round.
        if ((left === "") !== (right === "")) return left === "" ? 1 : -1;
        const order = numeric
          ? number(left) - number(right)
          : left.localeCompare(right);
        return up ? order : -order;
      });
      body.append(...sorted);
    });
  });
  // Nobody looks for words in a row of numbers by period.
  if (rows.length < 8 || rows[0].cells[0].classList.contains("d")) continue;
  const line = document.createElement("p");
  line.className = "filter";
  const label = document.createElement("label");
  label.textContent = "Filter ";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "words of a row";
  label.append(input);
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  line.append(label, count);
  table.parentNode.before(line);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const said = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => said.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = words.length ? shown + " of " + rows.length + " rows" : "";
  });
}
