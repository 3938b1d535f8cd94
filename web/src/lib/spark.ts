// Small lines as SVG paths: values from left to right, zero at the bottom, `max` at the top; null leaves a gap.

type Values = readonly (number | null | undefined)[]

/** Room for the stroke at the upper and lower edge. */
const INSET = 1

function place(values: Values, i: number, width: number, height: number, max: number): string {
  const x = values.length > 1 ? (i / (values.length - 1)) * width : width / 2
  const ratio = max > 0 ? Math.min(1, Math.max(0, (values[i] ?? 0) / max)) : 0
  const y = height - INSET - ratio * (height - 2 * INSET)
  return `${x.toFixed(1)},${y.toFixed(1)}`
}

/** First and last index of each stretch without null. */
export function stretches(values: Values): [number, number][] {
  const found: [number, number][] = []
  let begin = -1
  for (let i = 0; i <= values.length; i++) {
    const isValue = i < values.length && values[i] != null
    if (isValue && begin < 0) begin = i
    if (!isValue && begin >= 0) {
      found.push([begin, i - 1])
      begin = -1
    }
  }
  return found
}

/** Indices of the values without neighbours. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  return stretches(Array.from(values)).flatMap(([from, to]) => (from === to ? [from] : []))
}

export function linePath(values: Values, width: number, height: number, max: number): string {
  return stretches(values)
    .map(([from, to]) => {
      const points = []
      for (let i = from; i <= to; i++) points.push(place(values, i, width, height, max))
      return `M${points.join('L')}${from === to ? 'h0.1' : ''}`
    })
    .join('')
}

export function areaPath(values: Values, width: number, height: number, max: number): string {
  return stretches(values)
    .map(([from, to]) => {
      const points = []
      for (let i = from; i <= to; i++) points.push(place(values, i, width, height, max))
      const left = points[0]?.split(',')[0] ?? '0'
      const right = points.at(-1)?.split(',')[0] ?? '0'
      return `M${left},${height - INSET}L${points.join('L')}L${right},${height - INSET}Z`
    })
    .join('')
}
