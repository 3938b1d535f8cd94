import { Component, type ReactNode } from 'react'
import { ErrorMessage } from './States'

interface ErrorBoundaryProps {
  children: ReactNode
}

interface ErrorBoundaryState {
  error: Error | undefined
}

/** A view that breaks takes neither the header nor the other views with it. Give it a key per view, so that leaving heals. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { error: undefined }

  static getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    if (this.state.error) return <ErrorMessage error={this.state.error} retry={() => this.setState({ error: undefined })} />
    return this.props.children
  }
}
