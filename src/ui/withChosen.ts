/**
 * A command of a menu's choice, and its twin for while it is what is chosen: its title has a check mark, for which a
 * manifest has no other way.
 */
export const withChosen = <Run>(id: string, run: Run): [id: string, run: Run][] => [
  [id, run],
  [`${id}.chosen`, run],
];
