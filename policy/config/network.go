package config

// checkNetwork checks what asks others, and that there is somebody to ask.
func (b *binder) checkNetwork(c *Config) {
	for section, err := range map[string]error{"dns": c.DNS.Check(), "auth": c.Auth.Check(), "spam": c.Spam.Config.Check()} {
		if err != nil {
			b.wrong(section, "%v", oneLine(err))
		}
	}
	for section, wanted := range map[string]bool{"auth": c.Auth.Enabled(), "spam.list": len(c.Spam.Lists) > 0} {
		if wanted && len(c.DNS.Servers) == 0 {
			b.wrong(section, "there is no resolver to ask; write one into dns.servers, such as \"127.0.0.1:53\"")
		}
	}
}
