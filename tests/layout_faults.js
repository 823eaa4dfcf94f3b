// Texts that lie over one another or are cut off, and a page that is wider than the screen.
(() => {
  const seen = [], faults = [];
  const cut = (box, element) => {
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each), clips = (value) => value === "hidden" || value === "clip";
      const frame = each.getBoundingClientRect();
      if (style.textOverflow === "ellipsis") continue;
      if (style.display === "inline" && !(each instanceof SVGSVGElement)) continue;
      if (clips(style.overflowX) && (box.left < frame.left - 1 || box.right > frame.right + 1)) return true;
      if (clips(style.overflowY) && (box.top < frame.top - 2 || box.bottom > frame.bottom + 2)) return true;
    }
    return false;
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("script, style, title, [hidden], .tip, .rows")) continue;
    if (!parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width <= 1) continue;
      seen.push([box, node.data.trim().slice(0, 40)]);
      if (cut(box, parent)) faults.push(`cut off: ${node.data.trim().slice(0, 40)}`);
    }
  }
  const least = 2;
  seen.sort((a, b) => a[0].top - b[0].top);
  for (let i = 0; i < seen.length; i++) {
    const [box, text] = seen[i];
    for (let j = i + 1; j < seen.length && seen[j][0].top < box.bottom - least; j++) {
      const other = seen[j][0];
      const wide = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const high = Math.min(box.bottom, other.bottom) - other.top;
      if (wide > least && high > 4) faults.push(`${text} | ${seen[j][1]}`);
    }
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push(`wider than the screen: ${root.scrollWidth}`);
  return faults.slice(0, 20);
})()
