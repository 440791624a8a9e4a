import { type Abortable, ask } from './crossing.js';
import type { GradualStep } from './model.js';
import type { NativeGradualScaling } from './native.js';

/** The steps of a fleet that is made larger as long as the target is well. Iterating over it makes them. */
export class GradualScaling implements AsyncIterable<GradualStep> {
  readonly #native: NativeGradualScaling;
  readonly #options: Abortable;
  readonly #made: (step: GradualStep) => void;

  /** @internal */
  constructor(native: NativeGradualScaling, options: Abortable, made: (step: GradualStep) => void) {
    this.#native = native;
    this.#options = options;
    this.#made = made;
  }

  /** The next step, once it is made, or why there is none for now; `null` after the end. It may be asked again after an error. */
  async next(): Promise<GradualStep | null> {
    const step = await ask<GradualStep | null>(this.#native.next(), this.#options);
    if (step !== null) {
      this.#made(step);
    }
    return step;
  }

  /** The steps, one by one. Leaving the loop leaves the workers as they are. */
  async *[Symbol.asyncIterator](): AsyncGenerator<GradualStep, void, undefined> {
    for (let step = await this.next(); step !== null; step = await this.next()) {
      yield step;
    }
  }
}
