/** Arguments that go over by themselves, held to what the native half takes: it would read `NaN` as 0, and name no argument. */

const MOST = 4_294_967_295;

/** A text. */
export function textOf(value: string, name: string): string;
/** A text, or nothing. */
export function textOf(value: string | undefined, name: string): string | undefined;
export function textOf(value: string | undefined, name: string): string | undefined {
  if (typeof value === 'string' || value === undefined) {
    return value;
  }
  throw new TypeError(`${name}: expected text, not ${String(value)}`);
}

/** A whole number. */
export function numberOf(value: number, name: string): number;
/** A whole number, or nothing. */
export function numberOf(value: number | undefined, name: string): number | undefined;
export function numberOf(value: number | undefined, name: string): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= MOST)) {
    return value;
  }
  const text = `${name}: expected a whole number from 0 to ${MOST}, not ${String(value)}`;
  throw Number.isFinite(value) ? new RangeError(text) : new TypeError(text);
}
