import { areaPath, linePath } from '../lib/spark'

export interface SparklineProps {
  values: readonly (number | null)[]
  /** Drawn in red over the values, in the same scale. */
  errors?: readonly (number | null)[]
  width: number
  height: number
  /** Upper end of the scale, so that siblings can share one; by default the largest value. */
  max?: number
  tone?: 'neutral' | 'warning' | 'critical'
  label: string
}

/** Below a hundredth of the height an error is not even half a pixel: the column beside it has the figure. */
const FAINTEST = 0.01

export function Sparkline({ values, errors, width, height, max, tone = 'neutral', label }: SparklineProps) {
  const top = max ?? Math.max(0, ...values.map((v) => v ?? 0))
  const hasErrors = errors?.some((v) => (v ?? 0) > top * FAINTEST) ?? false
  return (
    <svg className={`spark spark-${tone}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path className="spark-area" d={areaPath(values, width, height, top)} />
      <path className="spark-line" d={linePath(values, width, height, top)} />
      {errors && hasErrors && <path className="spark-errors" d={areaPath(errors, width, height, top)} />}
    </svg>
  )
}
