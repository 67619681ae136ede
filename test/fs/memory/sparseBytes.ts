/**
 * The content of a file in memory: pages where something was written, holes elsewhere. Offsets and lengths in bytes.
 */
export const PAGE = 4096;

export class SparseBytes {
  private readonly pages = new Map<number, Uint8Array>();
  size = 0;

  /** Pages that take memory. */
  get pageCount(): number {
    return this.pages.size;
  }

  /** Copies [offset, offset + into.length) out, holes as zeros. The range must lie below `size`. */
  read(offset: number, into: Uint8Array): void {
    this.walk(offset, into.length, (page, from, length, done) => {
      const bytes = this.pages.get(page);
      if (bytes === undefined) into.fill(0, done, done + length);
      else into.set(bytes.subarray(from, from + length), done);
    });
  }

  write(offset: number, data: Uint8Array): void {
    this.walk(offset, data.length, (page, from, length, done) => {
      this.page(page).set(data.subarray(done, done + length), from);
    });
    this.size = Math.max(this.size, offset + data.length);
  }

  /** Shorter: what is cut off is gone, also within the last page. Longer: a hole. */
  truncate(size: number): void {
    if (size < this.size) this.punch(size, this.size - size);
    this.size = size;
  }

  /** A hole: whole pages are given up, parts of pages become zeros. The size stays. */
  punch(offset: number, length: number): void {
    const end = offset + length;
    for (const [page, bytes] of this.pages) {
      const start = page * PAGE;
      if (start >= end || start + PAGE <= offset) continue;
      if (start >= offset && (start + PAGE <= end || end >= this.size)) this.pages.delete(page);
      else bytes.fill(0, Math.max(0, offset - start), Math.min(PAGE, end - start));
    }
  }

  /** Gives every page of the range memory. The size stays. */
  allocate(offset: number, length: number): void {
    this.walk(offset, length, (page) => this.page(page));
  }

  /** The first offset from `offset` on that is data (or not), at most `size`. */
  next(offset: number, data: boolean): number {
    if (!data) {
      let page = Math.floor(offset / PAGE);
      if (!this.pages.has(page)) return offset;
      while (this.pages.has(page)) page++;
      return Math.min(page * PAGE, this.size);
    }
    let first = Infinity;
    for (const page of this.pages.keys()) {
      if ((page + 1) * PAGE > offset && page < first) first = page;
    }
    return Math.min(Math.max(offset, first * PAGE), this.size);
  }

  private page(index: number): Uint8Array {
    let bytes = this.pages.get(index);
    if (bytes === undefined) this.pages.set(index, (bytes = new Uint8Array(PAGE)));
    return bytes;
  }

  private walk(
    offset: number,
    length: number,
    visit: (page: number, from: number, length: number, done: number) => void,
  ): void {
    for (let done = 0; done < length;) {
      const at = offset + done;
      const page = Math.floor(at / PAGE);
      const from = at - page * PAGE;
      const part = Math.min(PAGE - from, length - done);
      visit(page, from, part, done);
      done += part;
    }
  }
}
