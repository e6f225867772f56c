"use strict";
const filter = document.getElementById("filter");
const operations = [...document.querySelectorAll("#operations article")];
filter.hidden = false;
filter.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  for (const article of operations) {
    article.hidden = !article.textContent.toLowerCase().includes(wanted);
    document.querySelector(`.list a[href="#${article.id}"]`).hidden = article.hidden;
  }
});
if (navigator.clipboard) {
  for (const block of document.querySelectorAll("pre")) {
    const text = block.textContent;
    const button = document.createElement("button");
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  }
}
