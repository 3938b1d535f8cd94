import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

// WCAG 2.2, 1.4.3: 4.5:1 for text; 1.4.11: 3:1 for marks that carry meaning.
const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')

function tokens(scheme: string): Record<string, string> {
  const block = new RegExp(`scheme='${scheme}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']): [string, string] => [name, value]))
}

/** Relative luminance as WCAG defines it. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(color.slice(i, i + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

describe.each(['light', 'dark'])('%s', (scheme) => {
  const t = tokens(scheme)
  const value = (name: string) => t[name] ?? ''
  const texts = ['text', 'text-2', 'text-3'].flatMap((text) => ['bg', 'surface', 'surface-2'].map((ground) => [text, ground]))
  it.each([
    ...texts,
    ['accent', 'bg'], ['accent', 'surface'], ['accent', 'accent-soft'],
    ['critical', 'bg'], ['critical', 'surface'], ['critical', 'critical-soft'],
    ['warning', 'bg'], ['warning', 'surface'], ['warning', 'warning-soft'],
    ['text', 'critical-soft'], ['text-2', 'critical-soft'], ['text', 'warning-soft'], ['text-2', 'warning-soft'],
  ])('text %s on %s', (text, ground) => expect(contrast(value(text), value(ground))).toBeGreaterThanOrEqual(4.5))
  it.each([
    ['critical-strong', 'surface'], ['ok', 'surface'], ['chart-5xx', 'surface'], ['chart-p95', 'surface'], ['chart-p99', 'surface'],
  ])('mark %s on %s', (mark, ground) => expect(contrast(value(mark), value(ground))).toBeGreaterThanOrEqual(3))
})
