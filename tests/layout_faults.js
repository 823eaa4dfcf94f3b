// Texts that lie over one another, and a page that is wider than the screen.
(() => {
  const seen = [], faults = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("script, style, title, [hidden], .tip, .rows")) continue;
    if (!parent.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1) seen.push([box, node.data.trim().slice(0, 40)]);
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
