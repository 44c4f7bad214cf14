package config

// checkNetwork checks what asks others, and that there is somebody to ask.
func (b *binder) checkNetwork(c *Config) {
	if err := c.DNS.Check(); err != nil {
		b.wrong("dns", "%v", oneLine(err))
	}
	if err := c.Spam.Config.Check(); err != nil {
		b.wrong("spam", "%v", oneLine(err))
	}
	if len(c.DNS.Servers) == 0 && len(c.Spam.Lists) > 0 {
		b.wrong("spam.list", "there is no resolver to ask; write one into dns.servers, such as \"127.0.0.1:53\"")
	}
}
