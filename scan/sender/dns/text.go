package dns

import "strings"

// text joins the strings of a TXT record, which come in the form of zone files:
// with a backslash before a quote or a backslash, and before three digits that
// are the number of a byte (RFC 1035, section 5.1).
func text(parts []string) string {
	s := strings.Join(parts, "")
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		c, used := unescape(s[i+1:])
		b = append(b, c)
		i += used
	}
	return string(b)
}

// unescape returns the byte that is after a backslash, and how long it is.
func unescape(s string) (c byte, used int) {
	if len(s) < 3 || !digits(s[:3]) {
		return s[0], 1
	}
	return byte(int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')), 3
}

func digits(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
