/**
 * How often a slot of the inode or handle table may be used again.
 *
 * A nodeid or fh is its generation times 2^32 plus its slot. Tools of all kinds read it as a double, which above 2^53
 * would be another's; so a slot that has had this generation stays empty for good: one in two million uses.
 */
export const LAST_GENERATION = 2 ** 21 - 1;
