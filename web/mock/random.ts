// Repeatable randomness: the same name and time give the same figure, so that all replies agree with each other.

/** 0..1 from any text (FNV-1a with a final mix). */
export function unit(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  hash ^= hash >>> 13
  return (hash >>> 0) / 2 ** 32
}

/** -1..1, smooth over about `period` seconds. */
export function wave(name: string, seconds: number, period: number): number {
  const x = seconds / period + unit(name) * 100
  const i = Math.floor(x)
  const t = x - i
  const smooth = t * t * (3 - 2 * t)
  const a = unit(`${name}#${i}`)
  const b = unit(`${name}#${i + 1}`)
  return (a + (b - a) * smooth) * 2 - 1
}
