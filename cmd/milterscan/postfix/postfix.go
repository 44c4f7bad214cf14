// Package postfix reads what Postfix goes by: main.cf, what master.cf overrides for
// single services, and which milters each service asks. It changes nothing.
//
// Three things make the answer differ from the plain text of smtpd_milters. A
// service of master.cf has its own settings (-o, postconf -P). An element of the
// list may be in braces, with settings for this one milter, which outweigh
// milter_default_action and the like. And a service that runs in a chroot finds
// every path below the queue directory: "unix:/run/m.sock" is another file there.
package postfix

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Tool is how Postfix is asked about its configuration.
type Tool struct {
	Postconf string // the program
	Dir      string // of the configuration; "" is Postfix' own
}

// keys are the settings of main.cf that are read.
var keys = []string{
	"smtpd_milters", "non_smtpd_milters", "milter_default_action", "milter_protocol", "milter_connect_timeout",
	"milter_command_timeout", "milter_content_timeout", "message_size_limit", "queue_directory", "mail_owner",
	"receive_override_options", "smtpd_milter_maps", "inet_interfaces", "inet_protocols", "compatibility_level",
	"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains", "parent_domain_matches_subdomains",
	"mynetworks", "content_filter",
}

// Config is the part of Postfix' configuration that milters depend on.
type Config struct {
	Services []Service // of master.cf, in its order
	tool     Tool
	main     map[string]string
}

// Service is one line of master.cf.
type Service struct {
	Name    string // "smtp", "127.0.0.1:10025", "cleanup"
	Type    string // "inet", "unix", "pass"
	Program string // "smtpd"
	Chroot  bool   // paths begin at the queue directory
	own     map[string]string
}

// String returns the service as postconf -P names it: "smtp/inet".
func (s Service) String() string { return s.Name + "/" + s.Type }

// Receives reports whether the service is an SMTP server.
func (s Service) Receives() bool { return s.Program == "smtpd" }

// Main reports whether mail from other hosts arrives at the service: at port 25, or
// from postscreen, which hands on what arrives there.
func (s Service) Main() bool {
	return s.Receives() && (s.Type == "pass" || s.Port() == "smtp" || s.Port() == "25")
}

// Port returns the port of an inet service, as a number or a name.
func (s Service) Port() string { return s.Name[strings.LastIndexByte(s.Name, ':')+1:] }

// Host returns the address an inet service is bound to, "" for that of
// inet_interfaces.
func (s Service) Host() string {
	i := strings.LastIndexByte(s.Name, ':')
	if i < 0 {
		return ""
	}
	return strings.Trim(s.Name[:i], "[]")
}

// Local reports whether only this host can reach the service.
func (s Service) Local() bool {
	h := s.Host()
	return h == "localhost" || h == "::1" || strings.HasPrefix(h, "127.")
}

// Own returns a setting that master.cf overrides for the service.
func (s Service) Own(key string) (value string, ok bool) {
	value, ok = s.own[key]
	return value, ok
}

// Read asks postconf for the configuration, with all references expanded.
func Read(ctx context.Context, t Tool) (*Config, error) {
	c := &Config{tool: t}
	text, err := t.ask(ctx, append([]string{"-x"}, keys...)...)
	if err != nil {
		return nil, err
	}
	c.main = settings(text)
	services, err := t.ask(ctx, "-M")
	if err != nil {
		return nil, err
	}
	own, err := t.ask(ctx, "-Px")
	if err != nil {
		return nil, err
	}
	c.Services = c.services(services, settings(own))
	return c, nil
}

// ask runs postconf.
func (t Tool) ask(ctx context.Context, args ...string) (string, error) {
	if t.Dir != "" {
		args = append([]string{"-c", t.Dir}, args...)
	}
	var complaint strings.Builder
	cmd := exec.CommandContext(ctx, t.Postconf, args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		// Postfix' own words name file and line; the names of all settings that were asked for would hide them.
		if said := strings.TrimSpace(complaint.String()); said != "" {
			return "", errors.New(said)
		}
		return "", fmt.Errorf("%s %s: %w", t.Postconf, strings.Join(args, " "), err)
	}
	return string(out), nil
}

// settings reads lines of the form "name = value".
func settings(text string) map[string]string {
	set := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, "=")
		set[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return set
}

// services reads what postconf -M prints. own has all overrides, as
// "smtp/inet/smtpd_milters".
func (c *Config) services(text string, own map[string]string) (all []Service) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		s := Service{Name: f[0], Type: f[1], Program: f[7], Chroot: f[4] == "y" || f[4] == "-" && c.oldDefaults(), own: map[string]string{}}
		for key, value := range own {
			if name, ok := strings.CutPrefix(key, s.String()+"/"); ok {
				s.own[name] = value
			}
		}
		all = append(all, s)
	}
	return all
}

// oldDefaults reports whether "-" in the chroot column of master.cf means "y", as
// it does below compatibility_level 1.
func (c *Config) oldDefaults() bool {
	level, _, _ := strings.Cut(c.main["compatibility_level"], ".")
	n, err := strconv.Atoi(level)
	return err != nil || n < 1
}

// Main returns a setting of main.cf.
func (c *Config) Main(key string) string { return c.main[key] }

// Value returns the setting that a service goes by.
func (c *Config) Value(s Service, key string) string {
	if value, ok := s.own[key]; ok {
		return value
	}
	return c.main[key]
}

// Servers returns the services that receive mail by SMTP.
func (c *Config) Servers() (all []Service) {
	for _, s := range c.Services {
		if s.Receives() {
			all = append(all, s)
		}
	}
	return all
}

// Cleanup returns the service that asks non_smtpd_milters about mail which programs
// on this host hand in.
func (c *Config) Cleanup() Service {
	for _, s := range c.Services {
		if s.Name == "cleanup" {
			return s
		}
	}
	return Service{Name: "cleanup", Type: "unix", Program: "cleanup"}
}
