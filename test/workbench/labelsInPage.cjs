/** What a screen reader would miss in a page, as a list of complaints. Runs in the page. */
/* global document, getComputedStyle */

function nameless(root) {
  const complaints = [];
  const shown = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility !== 'hidden';
  const textOf = (ids) =>
    ids
      .split(/\s+/)
      .map((id) => document.getElementById(id)?.textContent ?? '')
      .join(' ');
  const nameOf = (element) =>
    element.getAttribute('aria-label') ||
    (element.hasAttribute('aria-labelledby') && textOf(element.getAttribute('aria-labelledby'))) ||
    (element.labels && [...element.labels].map((label) => label.textContent).join(' ')) ||
    element.textContent ||
    element.getAttribute('title') ||
    '';
  const tell = (element, what) => complaints.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
  for (const element of root.querySelectorAll(
    'button, select, input, a[href], [tabindex]:not([tabindex="-1"]), [role="tabpanel"]',
  )) {
    if (shown(element) && nameOf(element).trim() === '') tell(element, 'no name');
  }
  const ids = new Set();
  for (const element of root.querySelectorAll('[id]')) {
    if (ids.has(element.id)) tell(element, 'an id twice');
    ids.add(element.id);
  }
  for (const attribute of ['aria-controls', 'aria-describedby', 'aria-labelledby', 'aria-activedescendant']) {
    for (const element of root.querySelectorAll(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(/\s+/)) {
        if (!document.getElementById(id)) tell(element, `${attribute} names nothing`);
      }
    }
  }
  const owners = {
    row: 'grid',
    gridcell: 'row',
    columnheader: 'row',
    tab: 'tablist',
    option: 'listbox',
    treeitem: 'tree',
  };
  for (const [role, owner] of Object.entries(owners)) {
    for (const element of root.querySelectorAll(`[role="${role}"]`)) {
      if (!element.closest(`[role="${owner}"]`)) tell(element, `a ${role} without its ${owner}`);
    }
  }
  for (const image of root.querySelectorAll('canvas, svg, img')) {
    const said = image.closest('[aria-hidden="true"], [aria-label], [role="img"]');
    if (!said) tell(image, 'a picture without words');
  }
  if (document.documentElement.lang === '') complaints.push('no language');
  return complaints;
}

module.exports = { nameless };
