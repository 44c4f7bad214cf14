// Package scan defines the types that all other packages use – envelope, message,
// part, finding, scanner – and the engine that runs all scanners at once over one
// message. Scanners report findings; they log nothing, count nothing and know no
// actions.
package scan
