// What each cause of loss means to the reader of the page. The names are those of signal/loss.go; a test compares the two lists.

export interface LossExplanation {
  title: string
  /** What happened, and what it does to the figures. */
  meaning: string
  remedy: string
  /** Figures may be too low by these; the others only lose detail or are already part of another cause. */
  isUndercount: boolean
}

const EXPLANATIONS: Record<string, LossExplanation> = {
  ring_full: {
    title: 'Kernel buffer full',
    meaning: 'Socket events came faster than they could be read. Requests that end in such a gap are counted as partial.',
    remedy: 'Give Sonde more CPU, or a larger ring buffer.',
    isUndercount: false,
  },
  ring_full_message: {
    title: 'Requests missed: kernel buffer full',
    meaning: 'The event that begins a request was dropped. Each is exactly one request that is in no figure.',
    remedy: 'Give Sonde more CPU, a larger ring buffer, or exclude processes you do not care about.',
    isUndercount: true,
  },
  storage_full: {
    title: 'No memory for a connection',
    meaning: 'The kernel had no memory to remember a connection. Its requests are not counted.',
    remedy: 'The host is short of memory; free some.',
    isUndercount: true,
  },
  payload_fault: {
    title: 'Content unreadable',
    meaning: 'The bytes of a message were not in memory when they were read. Its size is right, its method, route or status may be missing.',
    remedy: 'None needed while it is rare.',
    isUndercount: false,
  },
  no_socket: {
    title: 'Descriptor without socket',
    meaning: 'A file descriptor could not be followed to its socket, so the call could not be counted.',
    remedy: 'None; please report it if it is not rare.',
    isUndercount: true,
  },
  tls_unbound: {
    title: 'TLS of unknown connections',
    meaning: 'A process read or wrote plain text of a TLS session before it was known which connection that is. It is not counted.',
    remedy: 'None: it happens to TLS connections that were open when Sonde started, once for each.',
    isUndercount: true,
  },
  tls_not_probed: {
    title: 'TLS library not read',
    meaning: 'A program with a TLS library could not be probed. Requests inside its TLS connections are not seen at its end.',
    remedy: 'The log of Sonde names the file and the reason.',
    isUndercount: true,
  },
  recursion: {
    title: 'Program skipped by the kernel',
    meaning: 'The kernel skipped a program because it was already running on that CPU. The event of that call is missing.',
    remedy: 'None; rare by nature.',
    isUndercount: true,
  },
  process_ring_full: {
    title: 'Process event dropped',
    meaning: 'A process started or ended unnoticed. Its traffic is counted, its name may be missing.',
    remedy: 'Give Sonde more CPU; very many short-lived processes start on this host.',
    isUndercount: false,
  },
  connection_limit: {
    title: 'Too many connections',
    meaning: 'The table of open connections was full. Requests on the connections beyond are not counted.',
    remedy: 'Raise the bound on connections, or exclude processes.',
    isUndercount: true,
  },
  unknown_connection: {
    title: 'Connection without beginning',
    meaning: 'An event arrived for a connection whose announcement had been lost.',
    remedy: 'See the kernel buffer above: one follows from the other.',
    isUndercount: true,
  },
  parser_gave_up: {
    title: 'Protocol not understood',
    meaning: 'Bytes on a recognised connection stopped making sense. Counting goes on with the next message that does.',
    remedy: 'Usually a cut connection. If it stays, please report it with the server’s name.',
    isUndercount: true,
  },
  bytes_lost: {
    title: 'Bytes missing in a stream',
    meaning: 'Sequence numbers show bytes that were never seen. The figure is in bytes; the requests around are marked partial.',
    remedy: 'See the kernel buffer above.',
    isUndercount: false,
  },
  orphan_response: {
    title: 'Response without request',
    meaning: 'The request was sent before Sonde saw the connection, so its duration is unknown and it is not counted.',
    remedy: 'None: it happens once for each connection that was busy when Sonde started.',
    isUndercount: false,
  },
  series_limit: {
    title: 'Counted under “other”',
    meaning: 'The bound on time series was reached. Totals are right, the split by label is coarser.',
    remedy: 'Raise the bound on series, or find the label that has too many values.',
    isUndercount: false,
  },
  route_limit: {
    title: 'Routes counted under “other”',
    meaning: 'A service has more routes than its bound. Totals are right, the split by route is coarser.',
    remedy: 'Raise the bound on routes, if these paths are really different interfaces.',
    isUndercount: false,
  },
  queue_full: {
    title: 'Export queue full',
    meaning: 'A batch of metrics was dropped on its way out. Counters are cumulative, so the next batch makes up for it.',
    remedy: 'Look at the receiver: is it down, or slow?',
    isUndercount: false,
  },
  store_rejected: {
    title: 'Sample refused by the store',
    meaning: 'The store refused a sample, out of order or out of bounds.',
    remedy: 'Check the clock of this host, and the free space on its disk.',
    isUndercount: true,
  },
  resolution_reduced: {
    title: 'Histogram coarser than usual',
    meaning: 'A histogram reached its bound of buckets and merged neighbours. Counts are exact, percentiles less fine.',
    remedy: 'None needed while it is rare.',
    isUndercount: false,
  },
  export_rejected: {
    title: 'Sample refused by a receiver',
    meaning: 'A remote receiver refused a sample. What is stored here is complete.',
    remedy: 'Look at the log of Sonde for the receiver’s words.',
    isUndercount: false,
  },
  process_unknown: {
    title: 'Process gone before it was named',
    meaning: 'The traffic is counted, under a less telling name.',
    remedy: 'None.',
    isUndercount: false,
  },
  pending_peer_timeout: {
    title: 'Other end not found in time',
    meaning: 'The process at the other end is on this host but was not seen in time; it stands as an address on the map.',
    remedy: 'None while it is rare; it corrects itself with the next request.',
    isUndercount: false,
  },
}

export interface LossRow extends LossExplanation {
  cause: string
  count: number
}

/** Rows with a count, those that make figures too low first, then by count. */
export function explainLoss(causes: Record<string, number>): LossRow[] {
  return Object.entries(causes)
    .filter(([, count]) => count > 0)
    .map(([cause, count]) => ({ cause, count, ...(EXPLANATIONS[cause] ?? unknown(cause)) }))
    .sort((a, b) => Number(b.isUndercount) - Number(a.isUndercount) || b.count - a.count)
}

export function knownCauses(): string[] {
  return Object.keys(EXPLANATIONS)
}

function unknown(cause: string): LossExplanation {
  return {
    title: cause.replace(/_/g, ' '),
    meaning: 'This page is older than the Sonde it talks to and does not know this cause.',
    remedy: 'Reload the page.',
    isUndercount: true,
  }
}
