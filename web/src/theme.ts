import { createTheme, localStorageColorSchemeManager, type CSSVariablesResolver } from '@mantine/core'

/** The same key as in public/scheme.js. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'sonde-color-scheme' })

export const theme = createTheme({
  primaryColor: 'sonde',
  primaryShade: { light: 7, dark: 6 },
  colors: {
    sonde: ['#eaf1fc', '#d3e1f7', '#a9c5f0', '#7fa9ea', '#6a9fee', '#3f78d3', '#2a66c6', '#1c57b5', '#164897', '#103876'],
  },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  defaultRadius: 'sm',
  cursorType: 'pointer',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
})

/** Mantine's surfaces take the colours of styles/tokens.css. */
export const cssVariablesResolver: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--bg)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--text-2)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--surface-2)',
    '--mantine-color-default-color': 'var(--text)',
    '--mantine-color-default-border': 'var(--line-strong)',
    '--mantine-color-placeholder': 'var(--text-3)',
  }
  return { variables: {}, light: shared, dark: shared }
}
