import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'
import { mockApi } from './mock/plugin.ts'

// `--mode mock` answers /api from generated data; any other mode passes /api on to a running Sonde.
export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === 'mock' ? [mockApi()] : [])],
  server: {
    proxy: mode === 'mock' ? {} : { '/api': process.env.SONDE_URL ?? 'http://127.0.0.1:8686' },
  },
  build: {
    target: 'es2023',
    // dist/README is committed, so that the Go package builds without a built page; `npm run build` empties the rest.
    emptyOutDir: false,
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
  test: { include: ['src/**/*.test.ts', 'mock/**/*.test.ts'] },
}))
