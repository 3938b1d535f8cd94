// Package truth compares what Sonde counts with what load generators and servers know themselves.
//
// In: a real bin/sonde, real servers, real load. Out: passing or failing tests; see `make truth`. The oracle is never
// Sonde: it is the bytes recorded at a socket, a server's access log, or a load generator's summary.
//
// Tests whose load is so little that it disturbs nobody, and which mostly wait, run side by side (testing.T.Parallel), after those that want
// the machine, and its losses, for themselves.
package truth
