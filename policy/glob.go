package policy

import "strings"

// matchGlob reports whether all of s matches pattern, in which "*" matches any
// run of bytes and "?" one byte. It looks back to the last "*" only, so a
// name made to be slow costs len(pattern)*len(s) steps at the most.
func matchGlob(pattern, s string) bool {
	p, i := 0, 0
	star, resume := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			resume++
			p, i = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// globsMeet reports whether some string could match both patterns. It is used
// on names of rules, which are short.
func globsMeet(a, b string) bool {
	switch {
	case a == "" || b == "":
		return strings.Trim(a+b, "*") == ""
	case a[0] == '*':
		return globsMeet(a[1:], b) || globsMeet(a, b[1:])
	case b[0] == '*':
		return globsMeet(a, b[1:]) || globsMeet(a[1:], b)
	case a[0] == '?' || b[0] == '?' || a[0] == b[0]:
		return globsMeet(a[1:], b[1:])
	}
	return false
}

// MatchGlob reports whether s is like the pattern, in which "*" matches
// anything. Upper and lower case are alike.
func MatchGlob(pattern, s string) bool {
	return matchGlob(strings.ToLower(pattern), strings.ToLower(s))
}
