// Package signal holds the types that cross the seam between the agent and the server.
//
// It is a leaf: it imports nothing of Sonde, so that agent and server can both know it without knowing each other.
// Here are metric descriptions and batches, the identity of an entity, and the causes of loss.
package signal
