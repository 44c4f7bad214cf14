package config

// Metrics is the section [metrics].
type Metrics struct {
	// Where counts can be fetched: "unix:/path" or "tcp:host:port". /metrics is for
	// Prometheus; /healthz answers while the daemon runs, /readyz while it can judge
	// mail. Nothing there asks for a password: name addresses that only you can
	// reach. Empty: nowhere.
	Listen []Address `toml:"listen"`
}
