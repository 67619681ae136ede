/** The ids with the largest values among very many, without sorting them all. */

export class Largest {
  private readonly ids: number[] = [];
  private readonly values: number[] = [];

  constructor(private readonly most: number) {}

  add(id: number, value: number): void {
    const { ids, values, most } = this;
    if (values.length >= most && value <= values[values.length - 1]) return;
    let at = values.length;
    while (at > 0 && values[at - 1] < value) at--;
    values.splice(at, 0, value);
    ids.splice(at, 0, id);
    if (values.length > most) {
      values.pop();
      ids.pop();
    }
  }

  /** The largest first; of the same value the one that came first. */
  get found(): readonly number[] {
    return this.ids;
  }
}
