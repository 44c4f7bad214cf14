package entity

import "strings"

// mediaTypes lists what clients may take for the media type in the head of a
// Content-Type value, lower case. clean is false when the value is not simply
// type/subtype.
func mediaTypes(head string) (list []string, clean bool) {
	head = strings.Trim(head, " \t\r\n")
	if isMediaType(head) {
		return []string{strings.ToLower(head)}, true
	}
	head = strings.ToLower(strings.Trim(unfold(stripComments(head)), " \t,"))
	if isMediaType(head) {
		return []string{head}, true
	}
	for _, word := range strings.FieldsFunc(head, func(r rune) bool { return r == ',' || r <= ' ' }) {
		if strings.Contains(word, "/") {
			list = append(list, word)
		}
	}
	if joined := strings.Map(onlyName, head); len(list) == 0 || strings.Count(joined, "/") == 1 && !strings.Contains(joined, ",") {
		list = []string{joined}
	}
	return list, false
}

// isMediaType reports whether s is type/subtype, both of plain characters.
func isMediaType(s string) bool {
	slash := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/':
			if slash++; i == 0 || i == len(s)-1 {
				return false
			}
		case c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"[]?=`, c) >= 0:
			return false
		}
	}
	return slash == 1
}

func isMultipart(mediaType string) bool { return strings.HasPrefix(mediaType, "multipart") }

// isMessage reports whether a body of this type is a whole message. RFC 6532
// adds message/global, old news readers message/news.
func isMessage(mediaType string) bool {
	switch mediaType {
	case "message/rfc822", "message/global", "message/news":
		return true
	}
	return false
}

// defaultType returns the type of an entity that declares none (RFC 2046, section
// 5.1.5 for the parts of a digest).
func defaultType(parent *Entity) string {
	if parent != nil && parent.Type == "multipart/digest" {
		return "message/rfc822"
	}
	return "text/plain"
}
