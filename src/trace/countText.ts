/** Counts for a person, wherever they are shown. */

const grouped = new Intl.NumberFormat('en');

/** `1,234`. */
export const thousands = (count: number): string => grouped.format(count);

/** `1 request`, `1,234 requests`. */
export const requestsText = (count: number): string => `${thousands(count)} ${count === 1 ? 'request' : 'requests'}`;
