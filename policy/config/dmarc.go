package config

// checkReports wants something to report about.
func (b *binder) checkReports(c *Config) {
	if c.DMARC.Enabled && !c.Auth.DMARC {
		b.wrong("dmarc_reports.enabled", "DMARC is not checked; write dmarc = true into section [auth]")
	}
}
