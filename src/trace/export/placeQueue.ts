/** What is to come, by its place: the nearest first. A binary heap. */
export class PlaceQueue<T extends { readonly place: number }> {
  private readonly heap: T[] = [];

  get first(): T | undefined {
    return this.heap.at(0);
  }

  add(item: T): void {
    const { heap } = this;
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const above = heap[(at - 1) >> 1];
      if (above.place <= item.place) break;
      heap[at] = above;
    }
    heap[at] = item;
  }

  takeFirst(): T | undefined {
    const { heap } = this;
    const first = heap.at(0);
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      const least = below + 1 < heap.length && heap[below + 1].place < heap[below].place ? below + 1 : below;
      if (heap[least].place >= last.place) break;
      heap[at] = heap[least];
      at = least;
    }
    heap[at] = last;
    return first;
  }
}
