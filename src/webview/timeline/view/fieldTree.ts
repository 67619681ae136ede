/** The fields of a message as a tree; branches get their elements when they are opened. */
import type { FieldNode } from '../../../control/timeline';
import { el, icon, set } from './dom';

interface Item {
  readonly node: FieldNode;
  readonly depth: number;
  readonly parent: Item | undefined;
  readonly row: HTMLElement;
  readonly group: HTMLElement | undefined;
  children: readonly Item[] | undefined;
  open: boolean;
}

/** Branches with more children than this are closed at first. */
const OPEN_UP_TO = 40;

export class FieldTree {
  readonly element: HTMLElement;
  private roots: readonly Item[] = [];
  private chosen: Item | undefined;
  private readonly items = new WeakMap<Element, Item>();

  constructor(
    private readonly picked: (node: FieldNode) => void,
    label: string,
  ) {
    this.element = el('div', { class: 'fields', role: 'tree', tabindex: 0, 'aria-label': label });
    this.element.addEventListener('click', (event) => {
      const row = event.target instanceof Element ? event.target.closest('.field') : null;
      const item = row ? this.items.get(row) : undefined;
      if (!item) return;
      if (event.target instanceof Element && event.target.closest('.twist')) this.setOpen(item, !item.open);
      this.choose(item, true);
    });
    this.element.addEventListener('keydown', (event) => this.key(event));
    this.element.addEventListener('focus', () => {
      // With the pointer it is the click that chooses.
      const byKeys = this.element.matches(':focus-visible');
      if (byKeys && !this.chosen && this.roots[0]) this.choose(this.roots[0], true);
    });
  }

  show(nodes: readonly FieldNode[]): void {
    this.chosen = undefined;
    set(this.element, { 'aria-activedescendant': undefined });
    this.element.replaceChildren();
    this.roots = this.build(nodes, 0, undefined, this.element);
  }

  private build(nodes: readonly FieldNode[], depth: number, parent: Item | undefined, into: HTMLElement): Item[] {
    return nodes.map((node) => {
      const branch = node.children !== undefined && node.children.length > 0;
      const row = el(
        'div',
        { class: 'field', 'data-tip': node.doc },
        branch ? el('span', { class: 'twist' }, icon('right')) : el('span', { class: 'twist' }),
        el('span', { class: 'name' }, node.name),
        el('span', { class: 'value' }, node.text || (branch ? summary(node) : '')),
      );
      row.style.setProperty('--depth', String(depth));
      const id = `field-${nextId++}`;
      const frame = el('div', { role: 'treeitem', id, 'aria-level': depth + 1, 'aria-selected': 'false' }, row);
      const group = branch ? el('div', { role: 'group', hidden: true }) : undefined;
      if (group) frame.append(group);
      into.append(frame);
      const item: Item = { node, depth, parent, row, group, children: undefined, open: false };
      this.items.set(row, item);
      if (branch && depth < 2 && (node.children?.length ?? 0) <= OPEN_UP_TO) this.setOpen(item, true);
      else if (branch) set(frame, { 'aria-expanded': 'false' });
      return item;
    });
  }

  private setOpen(item: Item, open: boolean): void {
    const { group, node } = item;
    if (!group) return;
    item.children ??= this.build(node.children ?? [], item.depth + 1, item, group);
    item.open = open;
    group.hidden = !open;
    item.row.parentElement?.setAttribute('aria-expanded', String(open));
  }

  private choose(item: Item, tell: boolean): void {
    if (this.chosen) {
      this.chosen.row.classList.remove('chosen');
      this.chosen.row.parentElement?.setAttribute('aria-selected', 'false');
    }
    this.chosen = item;
    item.row.classList.add('chosen');
    item.row.parentElement?.setAttribute('aria-selected', 'true');
    set(this.element, { 'aria-activedescendant': item.row.parentElement?.id });
    item.row.scrollIntoView({ block: 'nearest' });
    if (tell) this.picked(item.node);
  }

  /** Opens and chooses the innermost field that has a byte. */
  chooseAt(at: number): FieldNode | undefined {
    let items = this.roots;
    let found: Item | undefined;
    for (;;) {
      const next = items.find(({ node }) => at >= node.at && at < node.at + node.length);
      if (!next) break;
      found = next;
      if (!next.group) break;
      this.setOpen(next, true);
      items = next.children ?? [];
    }
    if (found) this.choose(found, false);
    return found?.node;
  }

  private visible(): Item[] {
    const list: Item[] = [];
    const walk = (items: readonly Item[]): void => {
      for (const item of items) {
        list.push(item);
        if (item.open && item.children) walk(item.children);
      }
    };
    walk(this.roots);
    return list;
  }

  private key(event: KeyboardEvent): void {
    const list = this.visible();
    const { chosen } = this;
    const place = chosen ? list.indexOf(chosen) : -1;
    let next: Item | undefined;
    switch (event.key) {
      case 'ArrowDown':
        next = list[Math.min(list.length - 1, place + 1)];
        break;
      case 'ArrowUp':
        next = list[Math.max(0, place - 1)];
        break;
      case 'Home':
        next = list[0];
        break;
      case 'End':
        next = list.at(-1);
        break;
      case 'ArrowRight':
        if (chosen?.group && !chosen.open) this.setOpen(chosen, true);
        else next = chosen?.children?.[0];
        break;
      case 'ArrowLeft':
        if (chosen?.open) this.setOpen(chosen, false);
        else next = chosen?.parent;
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (next) this.choose(next, true);
  }
}

let nextId = 1;

/** Of a closed branch: how much is in it. */
function summary({ children = [], length }: FieldNode): string {
  return children[0]?.name === '[0]' ? `${children.length} entries` : `${length} bytes`;
}
