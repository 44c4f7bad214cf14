package mailbox

import (
	"encoding/base64"
	"fmt"
	"os"
	"slices"
	"strings"
)

// smtp logs in by AUTH PLAIN (RFC 4954, RFC 4616), or by AUTH LOGIN where there is no other, and out.
func (c *conn) smtp(name, password string) error {
	if code, text, err := c.reply(); err != nil || code != "220" {
		return unexpected("greets", code, text, err)
	}
	offers, err := c.hello()
	if err == nil && !c.tls {
		if offers, err = c.smtpEncrypt(); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	ways := strings.Fields(strings.ToUpper(offers["AUTH"]))
	var code, text string
	switch {
	case slices.Contains(ways, "PLAIN"):
		code, text, err = c.ask("AUTH PLAIN " + encoded("\x00"+name+"\x00"+password))
	case slices.Contains(ways, "LOGIN"):
		code, text, err = c.authLogin(name, password)
	default:
		return fmt.Errorf("it offers neither AUTH PLAIN nor AUTH LOGIN")
	}
	switch {
	case err == nil && code == "235":
		c.say("QUIT")
		return nil
	case err == nil && (code == "535" || code == "534" || code == "530"):
		return ErrWrong
	}
	return unexpected("answers AUTH with", code, text, err)
}

// authLogin gives name and password as two answers.
func (c *conn) authLogin(name, password string) (code, text string, err error) {
	code, text, err = c.ask("AUTH LOGIN")
	for _, word := range []string{name, password} {
		if err != nil || code != "334" {
			return code, text, err
		}
		code, text, err = c.ask(encoded(word))
	}
	return code, text, err
}

// smtpEncrypt encrypts the connection, and returns what the server offers after that.
func (c *conn) smtpEncrypt() (map[string]string, error) {
	if code, text, err := c.ask("STARTTLS"); err != nil || code != "220" {
		return nil, unexpected("answers STARTTLS with", code, text, err)
	}
	if err := c.encrypt(); err != nil {
		return nil, err
	}
	return c.hello()
}

// hello returns what the server offers: keywords with their parameters.
func (c *conn) hello() (map[string]string, error) {
	name, err := os.Hostname()
	if err != nil {
		name = "localhost"
	}
	code, text, err := c.ask("EHLO " + name)
	if err != nil || code != "250" {
		return nil, unexpected("answers EHLO with", code, text, err)
	}
	offers := map[string]string{}
	for line := range strings.Lines(text) {
		keyword, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		offers[strings.ToUpper(keyword)] = params
	}
	return offers, nil
}

// ask says a line, and returns the reply.
func (c *conn) ask(line string) (code, text string, err error) {
	if err := c.say(line); err != nil {
		return "", "", err
	}
	return c.reply()
}

// reply reads a reply, which may have several lines.
func (c *conn) reply() (code, text string, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return "", "", err
		}
		if len(line) < 3 || strings.Trim(line[:3], "0123456789") != "" || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
			return "", "", fmt.Errorf("it does not speak SMTP: %.100q", line)
		}
		text += line[min(4, len(line)):] + "\n"
		if len(line) == 3 || line[3] == ' ' {
			return line[:3], text, nil
		}
	}
}

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// unexpected returns the error of a reply that is not what was hoped for.
func unexpected(does, code, text string, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("it %s %s %.200q", does, code, text)
}
