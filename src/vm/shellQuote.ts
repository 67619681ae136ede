/** Quotes one word for a POSIX shell, so that it is taken literally whatever it holds. Used for guest scripts. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
