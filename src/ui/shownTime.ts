/** Moments in views and lists: `2026-11-27 08:31:05`, of the clock on the wall, in every language. */
export const shownTime = (iso: string): string => new Date(iso).toLocaleString('sv');
