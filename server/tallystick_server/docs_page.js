const box = document.getElementById("find");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/);
  for (const each of document.querySelectorAll("details")) {
    const text = each.textContent.toLowerCase();
    each.hidden = !words.every((word) => text.includes(word));
  }
});
const openNamed = () => {
  const each = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (each && each.tagName === "DETAILS") each.open = true;
};
addEventListener("hashchange", openNamed);
openNamed();
