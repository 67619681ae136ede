/** `256 bytes`, `4.0 KiB`, `1.2 MiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let value = bytes / 1024;
  for (const unit of ['KiB', 'MiB', 'GiB']) {
    if (value < 1000 || unit === 'GiB') return `${value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return '';
}
