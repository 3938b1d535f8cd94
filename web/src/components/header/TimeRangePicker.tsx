import { Button, Popover } from '@mantine/core'
import { useState, type SubmitEvent } from 'react'
import { absoluteRange, fromInputValue, PRESETS, rangeLabel, resolveRange, toInputValue, type TimeRange } from '../../lib/time'
import type { View } from '../../lib/url'
import { ChevronIcon, ClockIcon } from '../icons'
import { navigate } from '../navigation'

export function TimeRangePicker({ view }: { view: View }) {
  const [isOpen, setOpen] = useState(false)
  const choose = (range: TimeRange) => {
    navigate({ ...view, range })
    setOpen(false)
  }
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-end" shadow="md" trapFocus width={380} offset={6}>
      <Popover.Target>
        <button type="button" className="tool-button" aria-haspopup="dialog" aria-expanded={isOpen} aria-label={`Time range: ${rangeLabel(view.range)}`} onClick={() => setOpen(!isOpen)}>
          <ClockIcon />
          <span>{rangeLabel(view.range)}</span>
          <ChevronIcon />
        </button>
      </Popover.Target>
      <Popover.Dropdown className="time-dropdown" aria-label="Time range">
        <ul className="time-presets">
          {PRESETS.map(({ seconds, label }) => (
            <li key={seconds}>
              <button type="button" aria-pressed={view.range.kind === 'relative' && view.range.seconds === seconds} onClick={() => choose({ kind: 'relative', seconds })}>
                {label}
              </button>
            </li>
          ))}
        </ul>
        {isOpen && <AbsoluteRange range={view.range} choose={choose} />}
      </Popover.Dropdown>
    </Popover>
  )
}

/** Begins with the range on display; local time. */
function AbsoluteRange({ range, choose }: { range: TimeRange; choose: (range: TimeRange) => void }) {
  const [from, setFrom] = useState(() => toInputValue(resolveRange(range, Date.now() / 1000).start))
  const [to, setTo] = useState(() => toInputValue(resolveRange(range, Date.now() / 1000).end))
  const start = fromInputValue(from)
  const end = fromInputValue(to)
  const isValid = start !== undefined && end !== undefined && start < end
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const chosen = isValid ? absoluteRange(start, end) : undefined
    if (chosen) choose(chosen)
  }
  return (
    <form className="time-absolute" onSubmit={submit}>
      <label>
        From
        <input type="datetime-local" step={1} value={from} onChange={(event) => setFrom(event.target.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" step={1} value={to} onChange={(event) => setTo(event.target.value)} />
      </label>
      <p className="faint">{isValid ? `${Intl.DateTimeFormat().resolvedOptions().timeZone} time` : 'The end must come after the beginning.'}</p>
      <Button type="submit" size="xs" disabled={!isValid}>
        Show this range
      </Button>
    </form>
  )
}
