/** The state that no text leads out of, and that does not accept. */
export const DEAD = 0;
/** The state that accepts whatever follows. */
export const SINK = 1;

/** A deterministic automaton over the classes of an alphabet. States 0 and 1 are DEAD and SINK. */
export interface Automaton {
  readonly stateCount: number;
  /** `next[state * size + class]`, where `size` is that of the alphabet. */
  readonly next: ArrayLike<number>;
  /** Of each state a bit mask: bit k is set if a text that ends here, before a character of kind k, is accepted. */
  readonly accepts: ArrayLike<number>;
  /** The first state by the kind of the character before the text. */
  readonly starts: readonly number[];
}

/** `accepts` of SINK. */
export const ALL_KINDS = 0b1111;
