// Draws many small images from one sprite, each in a button that tells Python when it is pressed.

const drawn = new WeakMap(); // grid node -> the data it shows

function cell() {
  const figure = document.createElement("figure");
  figure.innerHTML =
    "<button type='button'><canvas></canvas></button>" +
    "<figcaption aria-hidden='true'><span></span><small></small></figcaption>";
  return figure;
}

function label(figure, [index, name, note], judged, chosen) {
  figure.dataset.index = index;
  if (judged) figure.dataset.judged = judged;
  else delete figure.dataset.judged;
  const button = figure.querySelector("button");
  button.setAttribute("aria-label", `${note} ${name}`);
  if (chosen === null) button.removeAttribute("aria-pressed");
  else button.setAttribute("aria-pressed", index === chosen);
  figure.querySelector("span").textContent = figure.querySelector("span").title = name;
  figure.querySelector("small").textContent = note;
}

// A canvas of its own for each image, since a scaled background would bleed into its neighbour.
async function paint(node, data) {
  const sprite = new Image();
  sprite.src = data.sprite;
  await sprite.decode();
  if (drawn.get(node) !== data) return; // a newer call overtook this one
  const { side, columns } = data;
  node.querySelectorAll("canvas").forEach((canvas, i) => {
    canvas.width = canvas.height = side;
    const [x, y] = [(i % columns) * side, Math.floor(i / columns) * side];
    canvas.getContext("2d").drawImage(sprite, x, y, side, side, 0, 0, side, side);
  });
  node.dataset.drawn = data.sprite.length;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".image-grid");
  node.setAttribute("aria-label", data.label);
  node.onclick = (event) => {
    const figure = event.target.closest("figure");
    if (figure) setTriggerValue("opened", Number(figure.dataset.index));
  };
  const before = drawn.get(node);
  const told = ({ cells, judged, chosen }) => `${cells} ${judged} ${chosen}`;
  if (before?.sprite === data.sprite && told(before) === told(data)) return;
  drawn.set(node, data);
  delete node.dataset.drawn;
  while (node.children.length > data.cells.length) node.lastChild.remove();
  while (node.children.length < data.cells.length) node.append(cell());
  data.cells.forEach((one, i) => label(node.children[i], one, data.judged[i], data.chosen));
  paint(node, data);
}
