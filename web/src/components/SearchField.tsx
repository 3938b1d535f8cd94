import { CloseButton, Kbd, TextInput } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { SearchIcon } from './icons'

export interface SearchFieldProps {
  value: string
  onChange: (value: string) => void
  placeholder: string
  /** Goes to the first of what was found. */
  onEnter?: () => void
}

/** "/" puts the cursor here from anywhere on the page; Escape empties it. */
export function SearchField({ value, onChange, placeholder, onEnter }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const jump = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLElement && event.target.closest('input, textarea, select') !== null
      if (event.key !== '/' || isTyping || event.metaKey || event.ctrlKey) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    window.addEventListener('keydown', jump)
    return () => window.removeEventListener('keydown', jump)
  }, [])
  return (
    <TextInput
      ref={input}
      size="xs"
      className="search-field"
      aria-label={placeholder}
      placeholder={placeholder}
      value={value}
      leftSection={<SearchIcon />}
      rightSection={value ? <CloseButton size="xs" aria-label="Clear" onClick={() => onChange('')} /> : <Kbd size="xs">/</Kbd>}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          onChange('')
          event.currentTarget.blur()
        }
        if (event.key === 'Enter') onEnter?.()
      }}
    />
  )
}
