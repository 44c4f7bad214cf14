// Package scan holds the nouns everything else hangs on – envelope, message,
// part, finding, scanner – and the engine that runs all scanners at once over
// one message. Scanners say what they see; they log nothing, count nothing and
// know no actions.
package scan
