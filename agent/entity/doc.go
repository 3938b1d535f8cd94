// Package entity says who is at each end of a connection: pid → process → container or unit → service, and connection → peer.
//
// In: process and connection events of the kernel side, /proc, exchanges. Out: exchanges joined with signal.Entity of both
// ends (Observation), and a verdict for each process whether it is to be observed. It must not know protocols or metrics.
//
// # Service name
//
// The first of these that is there:
//
//  1. environment variable OTEL_SERVICE_NAME
//  2. service.name in OTEL_RESOURCE_ATTRIBUTES
//  3. DD_SERVICE
//  4. DK_BPFTRACE_SERVICE
//  5. the name of the container where its runtime tells it, else the first 12 digits of its id
//  6. the systemd unit without ".service" (units of the system, not of a user's session)
//  7. the script an interpreter runs: shop.py, -m http.server, app.js, billing-1.2.jar; generic names give way to the folder
//  8. the name of the executable
//
// The environment is the one the program was started with; what a program sets for itself later is not seen, what it
// hands to its children is. A child that was forked and has not called exec has all of its parent's identity.
// Names lose control characters and end after 128 bytes.
//
// # Instance
//
// The short container id, otherwise "host:pid" with the pid of the topmost living ancestor that has the same service name
// and the same executable: a master and its workers are one instance, two programs started apart are two.
//
// # Peers
//
// The process at the other end is found by the other end's own announcement: its addresses are the same the other way round.
// If it has not been announced although its address is one of this host, the exchange waits for it (Config.PeerWait), then
// the kernel's tables of sockets are asked. What has no process here is named by its address: "ip:port" for a server, "ip"
// for a client, whose port means nothing. A server whose address a program of this host was given under a name (Joiner.LearnName) is
// "name:port". signal.Entity.External is true of all of these.
//
// A connection to a virtual address (a published port, a cluster's service) shows that address to the client and another to
// the server. Such ends are joined where the client's own address and port are the same at both, and only one pair fits.
// Where the client's address is translated as well, they are not.
package entity
